"""Photographs every surface of a running demo market into docs/screens: `python tools/screens.py [address]`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screens"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
PASSWORD = "tutuu-demo"

# name: address, or (list page, pattern of the link to follow from it, what is added to that link)
SURFACES: dict[str, dict[str, str | tuple[str, ...]]] = {
    "": {
        "home": "/",
        "catalogue": "/catalog",
        "category": ("/catalog", r"^/catalog/gypsum_board$"),
        "search": "/search?q=гипсокартон",
        "product": ("/search?q=гипсокартон", r"^/product/"),
        "estimate-form": "/estimates/new/partition_c111",
        "site": "/site",
        "sign-in": "/login",
        "sign-up": "/register",
        "api": "/api/docs",
        "not-found": "/nothing-here",
    },
    "buyer": {
        "buyer-orders": "/orders",
        "buyer-order": ("/orders", r"^/orders/[\w-]+$"),
        "buyer-estimates": "/estimates",
        "buyer-estimate": ("/estimates", r"^/estimates/[0-9a-f-]{36}$"),
        "buyer-cart": "/cart",
        "buyer-checkout": "/checkout",
        "buyer-account": "/account",
        "buyer-lists": "/lists",
        "buyer-list": ("/lists", r"^/lists/[0-9a-f-]{36}$"),
        "buyer-compare": "/compare",
        "buyer-quick-order": "/quick",
        "buyer-approvals": "/approvals",
        "buyer-quotes": "/quotes",
        "buyer-quote-new": "/quotes/new",
    },
    "seller": {
        "seller-overview": "/seller/overview",
        "seller-inbox": "/seller/orders",
        "seller-order": ("/seller/orders", r"^/seller/orders/[\w-]+$"),
        "seller-quotes": "/seller/quotes",
        "seller-offers": "/seller/offers",
        "seller-reviews": "/seller/reviews",
        "seller-questions": "/seller/questions",
        "seller-changes": "/seller/changes",
        "seller-card": ("/seller/cards", r"^/seller/offers/[0-9a-f-]{36}/card$"),
        "seller-cards": "/seller/cards",
        "seller-imports": "/seller/imports",
        "seller-documents": "/seller/documents",
        "seller-stock": "/seller/stock",
        "seller-stock-offer": ("/seller/stock", r"^/seller/stock/[0-9a-f-]{36}$"),
        "seller-stock-taking": ("/seller/warehouses", r"^/seller/stock/count/"),
        "seller-warehouses": "/seller/warehouses",
        "seller-money": "/seller/money",
        "seller-order-money": ("/seller/money", r"^/seller/money/orders/"),
        "seller-holiday": "/seller/holiday",
        "seller-company": ("/account/organisations", r"^/account/organisations/[0-9a-f-]{36}$"),
        "seller-bank": ("/account/organisations", r"^/account/organisations/[0-9a-f-]{36}$", "/bank"),
        "seller-company-documents": ("/account/organisations", r"^/account/organisations/[0-9a-f-]{36}$", "/documents"),
        "seller-agreement": ("/account/organisations", r"^/account/organisations/[0-9a-f-]{36}$", "/agreement"),
        "seller-team": ("/account/organisations", r"^/account/organisations/[0-9a-f-]{36}$", "/team"),
    },
    "carrier": {
        "carrier-deliveries": "/carrier/deliveries",
        "carrier-plans": "/carrier/plans",
        "carrier-plan": ("/carrier/plans", r"^/carrier/plans/[\w-]+$"),
        "carrier-board": "/carrier/board",
        "carrier-hand-overs": "/carrier/hand-overs",
        "carrier-calendar": "/carrier/calendar",
        "carrier-road": "/carrier/road",
        "carrier-slots": "/carrier/slots",
        "carrier-vehicles": "/carrier/vehicles",
        "carrier-couriers": "/carrier/couriers",
        "carrier-depots": "/carrier/depots",
        "carrier-tariffs": "/carrier/tariffs",
        "carrier-invoices": "/carrier/invoices",
        "carrier-earnings": "/carrier/earnings",
    },
    "courier": {
        "courier-route": "/courier",
        "courier-stop": ("/courier", r"^/courier/stops/[\w-]+$"),
        "courier-check": "/courier/check",
        "courier-earnings": "/courier/earnings",
    },
    "admin": {
        "admin-organisations": "/admin/organisations",
        "admin-organisation": ("/admin/organisations", r"^/admin/organisations/[0-9a-f-]{36}$"),
        "admin-statements": "/admin/statements",
        "admin-feedback": "/admin/feedback",
        "admin-questions": "/admin/feedback?what=questions",
        "admin-documents": "/admin/documents",
        "admin-changes": "/admin/changes",
        "admin-products": "/admin/products",
        "admin-merge": ("/admin/products", r"^/admin/products/[0-9a-f-]{36}/merge$"),
        "admin-categories": "/admin/categories",
        "admin-synonyms": "/admin/synonyms",
        "admin-refunds": "/admin/refunds",
        "admin-payouts": "/admin/payouts",
        "admin-commission": "/admin/commission",
        "admin-users": "/admin/users",
        "admin-jobs": "/admin/jobs",
        "admin-audit": "/admin/audit",
    },
}


def main(address: str) -> int:
    """Photograph everything; 1 when a page did not answer with what was asked for."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wrong = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for who, surfaces in SURFACES.items():
            for size in SIZES:
                for scheme in ("light", "dark"):
                    wrong += shoot(browser, address, who, surfaces, size, scheme)
        browser.close()
    print("\n".join(wrong))
    return 1 if wrong else 0


def shoot(
    browser: Browser, address: str, who: str, surfaces: dict[str, str | tuple[str, ...]], size: str, scheme: str
) -> list[str]:
    """Photograph the surfaces of one person in one size and colour scheme. Returns what went wrong."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="ru-RU", color_scheme=scheme, base_url=address
    )  # fmt: skip
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    if who:
        page.goto("/login")
        page.fill("#email", f"{who}@demo.example")
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_load_state("load")
    if who == "buyer":
        fill_cart(page)
        fill_comparison(page)
    for name, where in surfaces.items():
        answer = page.goto(followed(page, where))
        page.wait_for_load_state("networkidle")
        if answer is None or (answer.status != 200 and name != "not-found"):
            wrong.append(f"{name}: {page.url} answered {answer and answer.status}")
        if page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") > 0:
            wrong.append(f"{name} {size}: wider than the window")
        page.screenshot(path=FOLDER / f"{name}-{size}-{scheme}.jpg", type="jpeg", quality=75)
    context.close()
    return wrong


def fill_cart(page: Page) -> None:
    """Put the buyer's newest estimate into the cart, once."""
    page.goto("/cart")
    if page.locator("form[action^='/cart/lines/']").count():
        return
    page.goto(followed(page, SURFACES["buyer"]["buyer-estimate"]))
    page.click("form[action$='/to-cart'] button")
    page.wait_for_load_state("load")


def fill_comparison(page: Page) -> None:
    """Compare three products of a section."""
    page.goto("/catalog/gypsum_board")
    for number in range(3):
        page.locator("button[name=toggle]").nth(number).click()
        page.wait_for_load_state("networkidle")


def followed(page: Page, where: str | tuple[str, ...]) -> str:
    """The address itself, or that of the first fitting link of a list page."""
    if isinstance(where, str):
        return where
    page.goto(where[0])
    links: list[str] = page.eval_on_selector_all("main a[href]", "all => all.map(a => a.getAttribute('href'))")
    found = [link for link in links if re.match(where[1], link.split("?")[0])]
    return "".join([found[0], *where[2:]]) if found else where[0] + "#no-such-link"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"))

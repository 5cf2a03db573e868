"""The bill of a purchase as PDF: requisites, lines, sums in figures and words, the code for applications of banks."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.pdf import Column, Document
from app.core.words import roubles_in_words
from app.orders.queries import GroupView
from app.payments.bank_code import bank_code
from app.payments.queries import PaymentRow
from app.web.filters import unit
from app.web.papers import CODE_MM, draw_code, figure, going, in_russian, long_day, percent, roubles

COLUMNS = (
    Column("№", 0.5, right=True), Column("Товар, услуга", 3.9), Column("Кол-во", 1.0, right=True), Column("Ед.", 1.2),
    Column("Цена, ₽", 1.3, right=True), Column("НДС", 1.0), Column("Сумма НДС", 1.3, right=True),
    Column("Сумма, ₽", 1.5, right=True),
)  # fmt: skip
AT_PRICE = 5
"""Columns up to the price; a bill with discounts has another one after it."""
DISCOUNT = Column("Скидка, ₽", 1.2, right=True)


def purpose_of(number: str) -> str:
    """What the payer writes as purpose; the statement of the bank is matched by it."""
    return f"Оплата счета {number}"


def invoice_pdf(view: GroupView, payment: PaymentRow, payer_name: str, operator: Mapping[str, str]) -> bytes:
    """The file; the same purchase in the same state gives the same bytes.

    Args:
        payer_name: of the person, for a purchase without a company.
        operator: requisites of the payee.
    """
    number = payment.invoice_number
    title = f"Счёт на оплату № {number} от {long_day(view.row.created_at)}"
    with in_russian():
        paper = Document(title, footer=f"Счёт № {number}", at=view.row.created_at)
        paper.heading(title)
        _sides(paper, view, payment, payer_name, operator)
        paper.space()
        has_discount = any(line.discount_now for order in view.orders for line in order.lines)
        rows = _rows(view, has_discount=has_discount)
        paper.table((*COLUMNS[:AT_PRICE], DISCOUNT, *COLUMNS[AT_PRICE:]) if has_discount else COLUMNS, rows)
        _sums(paper, view, payment, len(rows))
        if payment.left:
            _code(paper, bank_code(operator, payment.left, purpose_of(number)), payment)
        paper.signature("Руководитель", operator.get("director", ""))
        return paper.output()


def _sides(paper: Document, view: GroupView, payment: PaymentRow, payer_name: str, operator: Mapping[str, str]) -> None:
    payer = payment.requisites.get("payer", {})
    tax = f", ИНН {payer['inn']}, КПП {payer.get('kpp') or '–'}" if payer.get("inn") else ""
    place = f", {payer['address']}" if payer.get("address") else ""
    facts = [
        ("Получатель", f"{operator['name']}, ИНН {operator['inn']}, КПП {operator['kpp']}, {operator['address']}"),
        ("Банк получателя", f"{operator['bank']}, БИК {operator['bik']}"),
        ("Счёт", f"{operator['account']}, корр. счёт {operator['correspondent_account']}"),
        ("Плательщик", f"{payer.get('name') or payer_name}{tax}{place}"),
        ("Назначение платежа", purpose_of(payment.invoice_number)),
        ("Адрес доставки", view.row.site["address"]),
    ]
    if payment.due_on is not None:
        facts.append(("Оплатить до", long_day(payment.due_on)))
    paper.facts(facts)


def _rows(view: GroupView, *, has_discount: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    for order in view.orders:
        for line in order.lines:
            if line.gross:
                quantity = going(order, line)
                off = [roubles(line.discount_now) if line.discount_now else "–"] if has_discount else []
                rows.append([
                    str(len(rows) + 1), f"{line.name_ru}, {line.sku}", figure(quantity), unit(line.unit, quantity),
                    roubles(line.price), *off, percent(line.vat_percent), roubles(line.vat), roubles(line.gross),
                ])  # fmt: skip
        if order.row.delivery:
            name = f"Доставка заказа {order.row.number}"
            sum_ = roubles(order.row.delivery)
            off = ["–"] if has_discount else []
            rows.append([str(len(rows) + 1), name, "1", "усл.", sum_, *off, "–", "–", sum_])
        for each, many in order.pallets.items():
            name = f"Залог за возвратные поддоны, заказ {order.row.number}, без НДС"
            off = ["–"] if has_discount else []
            rows.append([
                str(len(rows) + 1), name, str(many), "шт", roubles(each), *off, "–", "–", roubles(each * many),
            ])  # fmt: skip
    return rows


def _sums(paper: Document, view: GroupView, payment: PaymentRow, count: int) -> None:
    total = view.row.total
    sums = [("В том числе НДС в товарах", roubles(view.row.vat)), ("Итого, ₽", roubles(total))]
    if payment.received and payment.left:
        sums += [("Уже получено", roubles(payment.received)), ("Осталось оплатить, ₽", roubles(payment.left))]
    paper.totals(sums)
    paper.text(f"Всего наименований {count}, на сумму {roubles(total)} руб.")
    paper.text(roubles_in_words(total), bold=True)
    if payment.status == "voided":
        paper.text("Счёт отменён, оплачивать его не нужно.", bold=True)
    elif not payment.left:
        paper.text("Счёт оплачен.", bold=True)


def _code(paper: Document, text: str, payment: PaymentRow) -> None:
    paper.keep_together(CODE_MM + 4)
    paper.space()
    pdf = paper.paper
    top = pdf.get_y()
    draw_code(paper, text, pdf.l_margin, top)
    pdf.set_xy(pdf.l_margin + CODE_MM + 4, top + 8)
    pdf.multi_cell(
        90, 5, f"Наведите камеру в приложении банка: реквизиты и сумма {roubles(payment.left)} ₽ заполнятся сами.",
        align="L",
    )  # fmt: skip
    pdf.set_xy(pdf.l_margin, top + CODE_MM)

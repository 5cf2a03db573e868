"""What the demo buyers say of what they were brought, what they ask, and what sellers answer: through the services."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

from app.catalog import lists
from app.catalog import queries as catalog
from app.core.db import unit_of_work
from app.core.permissions import Actor
from app.feedback import questions, reviews
from app.feedback.reviews import Opinion
from app.orders import received

OPINIONS = (
    Opinion(5, "Всё как в описании, привезли целым. Хватило ровно на столько, сколько насчитали."),
    Opinion(5, "Берём второй раз, партия такая же, как первая.", "ровное качество", ""),
    Opinion(4, "Товар хороший, но одна упаковка приехала надорванной. На работе не сказалось.", "цена", "упаковка"),
    Opinion(5, "Разгрузили быстро, по накладной всё сошлось."),
    Opinion(4, "Работать удобно. Инструкция на упаковке мелкая, пришлось искать в интернете."),
    Opinion(3, "Нормально за эти деньги, для чистовой работы взял бы получше.", "недорого", "отделка"),
    Opinion(5, "Взяли на пробу, теперь возьмём на весь этаж."),
    Opinion(2, "Упаковка вскрыта, пришлось всё пересчитывать у машины.", "", "упаковка"),
)
ANSWERS = {
    2: "Спасибо, что написали. Пришлите номер заказа: разберёмся со складом.",
    3: "Спасибо за отзыв. Посмотрите и товары для чистовой отделки, подскажем по телефону.",
    4: "Спасибо. Про упаковку передали на склад, будем перекладывать уголками.",
}
QUESTIONS = (
    ("Есть ли паспорт качества на эту партию?", "Да, привезём вместе с накладной."),
    ("Можно ли забрать самовывозом с вашего склада?", ""),
    ("Партия будет одна, если взять сразу сорок штук?", "Да, напишите об этом в комментарии к заказу."),
    ("Когда будет следующий завоз?", ""),
)  # fmt: skip
REVIEWED_SHARE = 0.7
MOST_REVIEWS = 4
"""Of each person."""
PRODUCTS_ASKED = 4


@unit_of_work
def speak(people: list[Actor], seller_of: Callable[[int], Actor]) -> None:
    """Reviews of delivered goods, some answered; questions about the first of these goods, some answered.

    Args:
        people: the demo buyers, the first of them first.
        seller_of: the owner of a seller by its id.
    """
    rng = random.Random("tutuu:voices")
    products: list[int] = []
    for person in people:
        seen: set[int] = set()
        for line in received.received_lines(person.user):
            if line.product_id in seen or len(seen) == MOST_REVIEWS or rng.random() > REVIEWED_SHARE:
                continue
            seen.add(line.product_id)
            products.append(line.product_id)
            opinion = rng.choice(OPINIONS)
            made = reviews.write(person, line.product_id, opinion)
            if opinion.stars in ANSWERS and rng.random() < 0.5:
                reviews.answer(seller_of(line.seller_id), made, ANSWERS[opinion.stars])
    for number, product in enumerate(dict.fromkeys(products[: PRODUCTS_ASKED * 2])):
        text, answer = QUESTIONS[number % len(QUESTIONS)]
        asked = questions.ask(people[number % len(people)], product, text)
        if answer:
            questions.answer(seller_of(1), asked, answer)
    keep(people[0], list(dict.fromkeys(products))[:5])


def keep(person: Actor, products: list[int]) -> None:
    """A heart and a list of a job, of what was bought before."""
    names = catalog.product_names(products)
    job = lists.create(person, "Комната: повторить")
    for number, product in enumerate(products):
        lists.put(person, job, names[product].public_id, Decimal(number + 1) if number else None)
        if number < 2:
            lists.favour(person, names[product].public_id, on=True)

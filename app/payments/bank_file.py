"""Payment orders as the text file that bank clients load (1CClientBankExchange, version 1.03, windows-1251). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.core import money

ENCODING = "cp1251"
PURPOSE_LENGTH = 210


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """One transfer: number, kopeks, payee (name, inn, kpp, bik, account, correspondent_account, bank_name), purpose."""

    number: int
    amount: int
    payee: Mapping[str, str]
    purpose: str


def write(orders: Sequence[PaymentOrder], payer: Mapping[str, str], day: date, made: datetime) -> bytes:
    """The file.

    Args:
        payer: name, inn, kpp, bank, bik, account, correspondent_account.
        day: the date on the payment orders.
        made: the moment the file says it was made.
    """
    lines = [
        "1CClientBankExchange", "ВерсияФормата=1.03", "Кодировка=Windows", "Отправитель=Tutuu Market", "Получатель=",
        f"ДатаСоздания={made:%d.%m.%Y}", f"ВремяСоздания={made:%H:%M:%S}", f"ДатаНачала={day:%d.%m.%Y}",
        f"ДатаКонца={day:%d.%m.%Y}", f"РасчСчет={payer['account']}", "Документ=Платежное поручение",
    ]  # fmt: skip
    for order in orders:
        lines += _document(order, payer, day)
    lines.append("КонецФайла")
    return ("\r\n".join(lines) + "\r\n").encode(ENCODING, "replace")


def _document(order: PaymentOrder, payer: Mapping[str, str], day: date) -> list[str]:
    payee = {key: _plain(value) for key, value in order.payee.items()}
    return [
        "СекцияДокумент=Платежное поручение", f"Номер={order.number}", f"Дата={day:%d.%m.%Y}",
        f"Сумма={money.as_decimal(order.amount):f}",
        f"ПлательщикСчет={payer['account']}", f"Плательщик=ИНН {payer['inn']} {_plain(payer['name'])}",
        f"ПлательщикИНН={payer['inn']}", f"ПлательщикКПП={payer['kpp']}", f"Плательщик1={_plain(payer['name'])}",
        f"ПлательщикРасчСчет={payer['account']}", f"ПлательщикБанк1={_plain(payer['bank'])}",
        f"ПлательщикБИК={payer['bik']}", f"ПлательщикКорсчет={payer['correspondent_account']}",
        f"ПолучательСчет={payee['account']}", f"Получатель=ИНН {payee['inn']} {payee['name']}",
        f"ПолучательИНН={payee['inn']}", f"ПолучательКПП={payee.get('kpp', '')}", f"Получатель1={payee['name']}",
        f"ПолучательРасчСчет={payee['account']}", f"ПолучательБанк1={payee.get('bank_name', '')}",
        f"ПолучательБИК={payee['bik']}", f"ПолучательКорсчет={payee.get('correspondent_account', '')}",
        "ВидПлатежа=электронно", "ВидОплаты=01", "Очередность=5",
        f"НазначениеПлатежа={_plain(order.purpose)[:PURPOSE_LENGTH]}", "КонецДокумента",
    ]  # fmt: skip


def _plain(text: str) -> str:
    """One line: a line break in a name would begin a field of its own."""
    return " ".join(text.split())

"""The database: base class of the tables, the session, the unit of work.

Flask-SQLAlchemy opens and closes the session with the application context; domains use `session` and
`unit_of_work` from here and never commit by themselves.
"""

from __future__ import annotations

import functools
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, ParamSpec, TypeVar

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import exc
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from app.core.errors import Unavailable
from app.core.ids import uuid7

P = ParamSpec("P")
R = TypeVar("R")

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

QUANTITY = sa.Numeric(18, 6)
"""Quantities in the base unit of the product."""

Id = Annotated[int, mapped_column(sa.BigInteger, sa.Identity(always=False), primary_key=True)]
PublicId = Annotated[uuid.UUID, mapped_column(sa.Uuid, default=uuid7, server_default=sa.text("uuidv7()"), unique=True)]
Created = Annotated[datetime, mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())]
Moment = Annotated[datetime, mapped_column(sa.DateTime(timezone=True))]
Json = Annotated[dict[str, Any], mapped_column(JSONB, server_default=sa.text("'{}'::jsonb"))]
JsonList = Annotated[list[Any], mapped_column(JSONB, server_default=sa.text("'[]'::jsonb"))]
Kopeks = Annotated[int, mapped_column(sa.BigInteger)]


class Base(DeclarativeBase):
    """All tables. One naming convention, so that migrations can name what they drop."""

    metadata = sa.MetaData(naming_convention=NAMING)


class MarketSession(FlaskSession):
    """Sends reads of GET requests as READ ONLY transactions, and obeys an outer bind in tests.

    Flask-SQLAlchemy's session ignores its own bind; a test that binds it to a connection would commit for real.
    """

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **kwargs: Any) -> Any:
        if self.bind is not None:
            return self.bind
        engine = super().get_bind(mapper=mapper, clause=clause, bind=bind, **kwargs)
        return _read_only(engine) if self.info.get("read_only") else engine


@functools.lru_cache(maxsize=4)
def _read_only(engine: sa.Engine) -> sa.Engine:
    return engine.execution_options(postgresql_readonly=True)


db = SQLAlchemy(
    metadata=Base.metadata,
    session_options={"class_": MarketSession, "expire_on_commit": False, "autoflush": True},
)
session = db.session

CONNECT_OPTIONS = (
    "-c statement_timeout=10000 -c lock_timeout=4000 -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
    " -c max_parallel_workers_per_gather=0"  # a request takes one core; others wait for theirs
)

_RETRY = {"40001", "40P01"}  # serialization failure, deadlock
_UNAVAILABLE = {"57014", "55P03", "57P01", "57P02", "57P03", "53300", "53400", "08000", "08003", "08006"}


def engine_options(pool_size: int) -> dict[str, Any]:
    """Options of the engine: short waits, so that an overload answers 503 instead of hanging."""
    return {
        "pool_size": pool_size,
        "max_overflow": 4,
        "pool_timeout": 3,
        "pool_pre_ping": True,
        "hide_parameters": True,  # links and codes of people are parameters, and errors are logged
        "connect_args": {"options": CONNECT_OPTIONS, "connect_timeout": 3, "application_name": "tutuu"},
    }


def sqlstate(error: BaseException) -> str:
    """The five characters by which PostgreSQL names an error; empty when it never answered."""
    return getattr(getattr(error, "orig", None), "pgcode", None) or ""


def is_unavailable(error: BaseException) -> bool:
    """True when the database is down, full, or too slow, and the same call may work soon."""
    if isinstance(error, exc.TimeoutError):
        return True
    if isinstance(error, exc.IntegrityError | exc.DataError | exc.ProgrammingError):
        return False
    if isinstance(error, exc.DBAPIError):
        return error.connection_invalidated or sqlstate(error) in _UNAVAILABLE or not sqlstate(error)
    return False


def unit_of_work(command: Callable[P, R]) -> Callable[P, R]:
    """Run a command as one transaction: commit at its end, roll back when it raises.

    A command called inside another one joins it. A serialization failure or deadlock runs the whole command again,
    at most three times more, so a command must not touch anything but the database.

    Raises:
        Unavailable: the database is down or a wait was too long.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if session.info.get("in_unit"):
            return command(*args, **kwargs)
        for attempt in range(4):
            try:
                with _unit():
                    return command(*args, **kwargs)
            except exc.DBAPIError as error:
                if sqlstate(error) in _RETRY and attempt < 3:
                    time.sleep(random.uniform(0.01, 0.05) * 2**attempt)
                    continue
                if is_unavailable(error) or sqlstate(error) in _RETRY:
                    raise Unavailable() from error
                raise
            except exc.TimeoutError as error:
                raise Unavailable() from error
        raise AssertionError("unreachable")

    return run


_told: list[Callable[[str], None]] = []


def tell_after_commit(listener: Callable[[str], None]) -> None:
    """Call `listener` with the name of whatever a command said it `changed`, once that is committed."""
    if listener not in _told:
        _told.append(listener)


def changed(name: str) -> None:
    """Say that the present command changes what others keep copies of under this name (`listing`, `synonyms`).

    Nothing is told of a command that is rolled back.
    """
    session.info.setdefault("changed", set()).add(name)


@contextmanager
def _unit() -> Iterator[None]:
    info = session.info
    read_only = info.pop("read_only", None)
    if read_only:
        session.rollback()  # hand back the read-only connection before writing
    info["in_unit"] = True
    info.pop("changed", None)
    try:
        yield
        session.commit()
        for name in info.pop("changed", ()):
            for listener in _told:
                listener(name)
    except BaseException:
        session.rollback()
        raise
    finally:
        info.pop("in_unit", None)
        if read_only:
            info["read_only"] = True


def lock_rows(model: type[Any], ids: Iterable[int]) -> list[Any]:
    """Lock rows of one table FOR UPDATE in id order (the only order ever used) and return them fresh."""
    wanted = sorted(set(ids))
    if not wanted:
        return []
    statement = (
        sa.select(model)
        .where(model.id.in_(wanted))
        .order_by(model.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(statement))


def ref(target: str, *, index: bool = True, **options: Any) -> Any:
    """A foreign key to `table.id`, indexed unless a composite index starts with it."""
    return mapped_column(sa.BigInteger, sa.ForeignKey(target), index=index, **options)


def one_value_enum(name: str, values: Sequence[str]) -> sa.CheckConstraint:
    """A check that a text column holds one of the declared states."""
    listed = ", ".join(f"'{v}'" for v in values)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=f"{name}_known")

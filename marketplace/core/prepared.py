"""Queries that every payment asks: written in the ORM's words, compiled once per process (docs/decisions/0007)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.fetch_modes import FETCH_ONE
from django.db.models.query import get_related_populators
from django.db.models.sql import UpdateQuery
from django.db.transaction import TransactionManagementError

type Value = str | int | UUID | datetime


class Slot(Expression):
    """Where a call's value of this name goes. Never None: SQL asks for that in other words."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, _compiler: Any, _connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


@dataclass(frozen=True, slots=True)
class _Plan[M: models.Model]:
    """A compiled query, and how its rows become instances."""

    model: type[M]
    sql: str
    params: tuple[Any, ...]
    names: list[str]
    columns: slice
    converters: list[tuple[int, tuple[list[Any], Any]]]
    populators: list[Any]
    locks: bool


class Prepared[M: models.Model]:
    """A query of one shape: `Prepared(lambda: Model.objects.filter(pk=Slot("pk")))`, asked with `(pk=…)`.

    It may lock, join (`select_related`), order, slice and leave columns out (`only`); it may not annotate nor prefetch.
    """

    def __init__(self, build: Callable[[], models.QuerySet[M]]) -> None:
        self._build = build
        self._plan: _Plan[M] | None = None

    def __call__(self, **values: Value) -> list[M]:
        """The instances. Raises TransactionManagementError for a query that locks, outside of a transaction."""
        connection = connections[DEFAULT_DB_ALIAS]
        plan = self._plan or self._compiled(connection)
        if plan.locks and not connection.in_atomic_block:
            raise TransactionManagementError(
                "A row is locked until the end of a transaction, and there is none."
            )
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, _filled(plan.params, values, connection))
            rows = cursor.fetchall()
        return [_instance(plan, list(row), connection) for row in rows]

    def _compiled(self, connection: BaseDatabaseWrapper) -> _Plan[M]:
        query = self._build().query
        compiler = query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        info, select = compiler.klass_info, compiler.select
        if not info or not select or compiler.annotation_col_map:
            raise ValueError("A prepared query gives instances, without annotations.")
        columns = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
        self._plan = _Plan(
            model=info["model"],
            sql=sql,
            params=tuple(params),
            names=[expression.target.attname for expression, _sql, _alias in select[columns]],
            columns=columns,
            converters=list(compiler.get_converters([one[0] for one in select]).items()),
            populators=get_related_populators(info, select, connection.alias, FETCH_ONE),
            locks=query.select_for_update,
        )
        return self._plan


class PreparedUpdate:
    """An update of one shape: `PreparedUpdate(lambda: Model.objects.filter(pk=Slot("pk")), title=Slot("title"))`.

    What is set is a slot, a constant or an expression of the ORM. As with a queryset's update, no signal is sent and no
    `auto_now` is set.
    """

    def __init__(self, build: Callable[[], models.QuerySet[Any]], **changes: Any) -> None:
        self._build, self._changes = build, changes
        self._plan: tuple[str, tuple[Any, ...]] | None = None

    def __call__(self, **values: Value) -> int:
        """How many rows it found."""
        connection = connections[DEFAULT_DB_ALIAS]
        sql, params = self._plan or self._compiled(connection)
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(params, values, connection))
            return int(cursor.rowcount)

    def _compiled(self, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        query = cast("UpdateQuery", self._build().query.chain(UpdateQuery))
        query.add_update_values(self._changes)
        sql, params = query.get_compiler(connection=connection).as_sql()
        self._plan = sql, tuple(params)
        return self._plan


def _filled(params: tuple[Any, ...], values: dict[str, Value], connection: BaseDatabaseWrapper) -> list[Any]:
    return [_adapted(values[one.name], connection) if isinstance(one, Slot) else one for one in params]


def _adapted(value: Value, connection: BaseDatabaseWrapper) -> Any:
    if value is None:
        raise ValueError("A slot takes no None.")
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value


def _instance[M: models.Model](plan: _Plan[M], row: list[Any], connection: BaseDatabaseWrapper) -> M:
    for place, (converters, expression) in plan.converters:
        for convert in converters:
            row[place] = convert(row[place], expression, connection)
    instance = plan.model.from_db(connection.alias, plan.names, row[plan.columns])
    for populator in plan.populators:
        populator.populate(row, instance)
    return instance

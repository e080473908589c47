"""What was spent on models, by UTC day: the account behind the daily caps."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, insert, select, update

from catalog.engine import Catalog
from catalog.schema import model_usage as table
from core.chat import DailyUsage, Usage


class CatalogUsage:
    """The catalog as `core.ports.UsageLedger`."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def add(self, day: date, model: str, usage: Usage) -> None:
        """Adds to a day's account, in a transaction of its own: what was spent stays on record whatever comes after."""
        key = (table.c.day == day.isoformat()) & (table.c.model == model)
        with self._catalog.transaction() as connection:
            row = connection.execute(select(table).where(key).with_for_update()).one_or_none()
            if row is None:
                connection.execute(
                    insert(table).values(
                        day=day.isoformat(),
                        model=model,
                        input_tokens=usage.input_tokens,
                        output_tokens=usage.output_tokens,
                        cost_usd=usage.cost_usd,
                    )
                )
                return
            total = Usage(row.input_tokens, row.output_tokens, row.cost_usd) + usage
            connection.execute(
                update(table)
                .where(key)
                .values(input_tokens=total.input_tokens, output_tokens=total.output_tokens, cost_usd=total.cost_usd)
            )

    def spent(self, day: date) -> DailyUsage:
        """The day's account over all models."""
        statement = select(
            func.coalesce(func.sum(table.c.input_tokens), 0),
            func.coalesce(func.sum(table.c.output_tokens), 0),
            func.sum(table.c.cost_usd),
        ).where(table.c.day == day.isoformat())
        with self._catalog.transaction() as connection:
            inputs, outputs, cost = connection.execute(statement).one()
        return DailyUsage(day, Usage(int(inputs), int(outputs), None if cost is None else float(cost)))

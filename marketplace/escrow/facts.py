"""What has happened in a trade."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TradeStarted:
    trade_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class TradePaid:
    trade_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class TradeConfirmed:
    trade_id: uuid.UUID
    seller_id: uuid.UUID
    buyer_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class TradeRefunded:
    trade_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class DisputeOpened:
    trade_id: uuid.UUID

"""Each provider against all the others: a deposit belongs to one of them, and credentials open one door."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from scenarios import atmos, click, cloudpayments, freedompay, kaspi, mock, payme, paynet, stripe
from scenarios.runner import Deposit, Site, expect, expect_in, scenario, setting


@dataclass(frozen=True, slots=True)
class Payer:
    """How a provider pays a deposit, and what it hears when a deposit is not its own."""

    code: str
    pay: Callable[[Site, Deposit], object]
    unknown: object
    credits: bool = True


PAYERS = [
    Payer("payme", payme.pay, payme.UNKNOWN),
    Payer("click", click.pay, click.UNKNOWN),
    Payer("paynet", paynet.pay, paynet.UNKNOWN),
    *(Payer(code, atmos.payer(code), atmos.UNKNOWN, credits=False) for code in atmos.CODES),
    Payer("stripe", stripe.pay, stripe.UNKNOWN),
    Payer("kaspi", kaspi.pay, kaspi.UNKNOWN),
    Payer("freedompay", freedompay.pay, freedompay.UNKNOWN),
    Payer("cloudpayments", cloudpayments.pay, cloudpayments.UNKNOWN),
    Payer("mock", mock.pay, mock.UNKNOWN),
]


def _only_its_own(own: Payer) -> Callable[[Site], None]:
    def play(site: Site) -> None:
        deposit = site.deposit(own.code)
        others = [payer for payer in PAYERS if payer is not own]
        for payer in others:
            expect(payer.pay(site, deposit), payer.unknown, f"by {payer.code}")
        deposit.must_be("pending")
        expect(own.pay(site, deposit), 0, f"by {own.code}")
        status = "completed" if own.credits else "pending"
        deposit.must_be(status)
        for payer in others:
            expect(payer.pay(site, deposit), payer.unknown, f"by {payer.code}, once it is paid")
        deposit.must_be(status)

    play.__name__ = f"{own.code}_only"
    return play


for _payer in PAYERS:
    scenario("crossing", f"a deposit by {_payer.code} is unknown to all other providers")(
        _only_its_own(_payer)
    )


@scenario("crossing", "the same number at two providers is two payments")
def same_number(site: Site) -> None:
    person = site.person()
    own = click.number()
    by_payme, by_click, by_paynet = (person.deposit(code) for code in ("payme", "click", "paynet"))
    payme.result(payme.create(site, by_payme, str(own)))
    payme.result(payme.perform(site, str(own)))
    ours = click.prepare(site, by_click, own)["merchant_prepare_id"]
    expect(click.complete(site, by_click, own, ours)["error"], 0)
    paynet.result(paynet.perform(site, by_paynet, own))
    for deposit in (by_payme, by_click, by_paynet):
        deposit.must_be("completed", balance=150_000_00)
    expect(payme.result(payme.cancel(site, str(own)))["state"], -2)
    expect(paynet.state(site, own)[0], 1, "Paynet's stays")
    expect(person.balance(), 100_000_00, "the balance")


@scenario("crossing", "one provider's credentials do not open another's door")
def foreign_credentials(site: Site) -> None:
    deposit, own = site.deposit("payme"), payme.number()
    payme.result(payme.create(site, deposit, own))
    theirs = paynet.rpc("CheckTransaction", transactionId=1).headers["Authorization"]
    body = json.dumps({"id": 7, "method": "PerformTransaction", "params": {"id": own}}).encode()
    expect(payme.code(payme.told(site.send(payme.request(body, authorization=theirs)))), -32504)
    ours = payme.rpc("CheckTransaction", id="x").headers["Authorization"]
    data = paynet.told(site.send(paynet.request(body, authorization=ours)), 401)
    expect(paynet.code(data), 412)
    signed = click.signed(click.fields_of(deposit, "0", click.number()), setting("SANDBOX_SECRET"))
    expect(click.send(site, signed)["error"], -1)
    deposit.must_be("open")


@scenario(
    "crossing", "a person's own tokens open no provider's door, and a provider that is not there is 404"
)
def tokens_are_no_credentials(site: Site) -> None:
    deposit, own = site.deposit("payme"), payme.number()
    payme.result(payme.create(site, deposit, own))
    bearer = f"Bearer {deposit.person.token}"
    body = json.dumps({"id": 7, "method": "PerformTransaction", "params": {"id": own}}).encode()
    expect(payme.code(payme.told(site.send(payme.request(body, authorization=bearer)))), -32504)
    answer = deposit.person.call("POST", "/api/v1/payments/webhooks/nobody/", {"id": own})
    expect((answer.status, answer.refusal), (404, "unknown_provider"))
    expect_in(
        deposit.person.call("POST", mock.URL, {"transaction_id": deposit.id, "status": "paid"}).status, (401,)
    )
    deposit.must_be("open")

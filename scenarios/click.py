"""Click calls: Prepare and Complete, signed forms, answered with HTTP 200. Source: reference, section Click."""

import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

from scenarios.runner import (
    CROWD,
    LARGEST_BODY,
    WRONG_TEXTS,
    Answer,
    Deposit,
    Request,
    Site,
    expect,
    expect_in,
    scenario,
    setting,
)

CODE = "click"
URL = "/api/v1/payments/webhooks/click/"
UNKNOWN = -5
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def signature(fields: dict[str, str], secret: str) -> str:
    names = ["merchant_trans_id", *(["merchant_prepare_id"] if fields["action"] == "1" else [])]
    parts = [fields["click_trans_id"], fields["service_id"], secret, *(fields[name] for name in names)]
    parts += [fields["amount"], fields["action"], fields["sign_time"]]
    return hashlib.md5("".join(parts).encode()).hexdigest()


def fields_of(deposit: Deposit, action: str, own: int, **changed: object) -> dict[str, str]:
    fields = {
        "click_trans_id": own,
        "service_id": setting("CLICK_SERVICE_ID"),
        "click_paydoc_id": own + 1,
        "merchant_trans_id": deposit.id,
        "amount": deposit.major,
        "action": action,
        "error": 0,
        "error_note": "Success",
        "sign_time": "2026-03-14 15:09:26",
        **changed,
    }
    return {name: str(value) for name, value in fields.items()}


def signed(fields: dict[str, str], secret: str | None = None) -> dict[str, str]:
    return {**fields, "sign_string": signature(fields, secret or setting("CLICK_SECRET_KEY"))}


def form(fields: dict[str, str], *, action: str = "") -> Request:
    return Request("POST", URL + action, urlencode(fields).encode(), FORM)


def told(answer: Answer) -> dict[str, Any]:
    expect(answer.status, 200, "the HTTP status")
    data: dict[str, Any] = answer.json()
    expect((type(data["error"]), type(data["error_note"])), (int, str), "types")
    return data


def send(site: Site, fields: dict[str, str], *, action: str = "") -> dict[str, Any]:
    return told(site.send(form(fields, action=action)))


def preparing(deposit: Deposit, own: int, **changed: object) -> dict[str, str]:
    return signed(fields_of(deposit, "0", own, **changed))


def completing(deposit: Deposit, own: int, ours: object, **changed: object) -> dict[str, str]:
    return signed(fields_of(deposit, "1", own, **{"merchant_prepare_id": ours, **changed}))


def prepare(site: Site, deposit: Deposit, own: int, **changed: object) -> dict[str, Any]:
    return send(site, preparing(deposit, own, **changed))


def complete(site: Site, deposit: Deposit, own: int, ours: object, **changed: object) -> dict[str, Any]:
    return send(site, completing(deposit, own, ours, **changed))


def number() -> int:
    return 10**9 + secrets.randbelow(10**15)


def prepared(site: Site, deposit: Deposit | None = None) -> tuple[Deposit, int, int]:
    """A deposit that waits for its Complete, Click's number of it and ours."""
    deposit, own = deposit or site.deposit(CODE), number()
    data = prepare(site, deposit, own)
    expect(data["error"], 0, "prepare")
    return deposit, own, data["merchant_prepare_id"]


def paid(site: Site) -> tuple[Deposit, int, int]:
    deposit, own, ours = prepared(site)
    expect(complete(site, deposit, own, ours)["error"], 0, "complete")
    return deposit, own, ours


def pay(site: Site, deposit: Deposit) -> int:
    """Walk through a whole payment. The code that stopped it, or 0."""
    own = number()
    data = prepare(site, deposit, own)
    if data["error"]:
        return int(data["error"])
    return int(complete(site, deposit, own, data["merchant_prepare_id"])["error"])


# --- As it should go --------------------------------------------------------------------------------


@scenario(CODE, "a payment: prepare, complete; only complete credits")
def whole_payment(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    first = prepare(site, deposit, own)
    ours = first["merchant_prepare_id"]
    expect(type(ours), int, "our number")
    same = {"click_trans_id": own, "merchant_trans_id": deposit.id, "error": 0, "error_note": "Success"}
    expect(first, {**same, "merchant_prepare_id": ours})
    deposit.must_be("open")
    expect(complete(site, deposit, own, ours), {**same, "merchant_confirm_id": ours})
    deposit.must_be("completed")


@scenario(CODE, "the payer's link carries service, merchant, deposit and amount")
def link(site: Site) -> None:
    deposit = site.deposit(CODE)
    query = {name: values[0] for name, values in parse_qs(urlsplit(deposit.payment_url).query).items()}
    expect(query["service_id"], setting("CLICK_SERVICE_ID"))
    expect(query["merchant_id"], setting("CLICK_MERCHANT_ID"))
    expect((query["transaction_param"], query["amount"]), (deposit.id, "50000.00"))


@scenario(CODE, "the vendor's fifteen steps")
def fifteen_steps(site: Site) -> None:
    person = site.person()
    first, second, third = (person.deposit(CODE) for _one in range(3))
    one, two, three = number(), number(), number()
    forged = signed(fields_of(first, "0", one), "wrong")
    expect(send(site, forged)["error"], -1, "step 1")
    expect(prepare(site, first, one, merchant_trans_id="no-such-order")["error"], -5, "step 2")
    step = prepare(site, first, one)
    expect(step["error"], 0, "step 3")
    ours = step["merchant_prepare_id"]
    forged = signed(fields_of(first, "1", one, merchant_prepare_id=ours), "wrong")
    expect(send(site, forged)["error"], -1, "step 4")
    expect(complete(site, first, one, ours, amount="300")["error"], -2, "step 5")
    first.must_be("open")
    expect(complete(site, first, one, ours)["error"], 0, "step 6")
    expect(complete(site, first, one, ours)["error"], -4, "step 7")
    expect_in(complete(site, first, one, ours, error=-5017)["error"], (-9, -4), "step 8")
    first.must_be("completed")
    step = prepare(site, second, two)
    expect(step["error"], 0, "step 9")
    expect(complete(site, second, two, 999999999)["error"], -6, "step 10")
    expect(complete(site, second, two, step["merchant_prepare_id"])["error"], 0, "step 11")
    step = prepare(site, third, three)
    expect(step["error"], 0, "step 12")
    ours = step["merchant_prepare_id"]
    expect(complete(site, third, three, ours, error=-5017)["error"], -9, "step 13")
    expect(complete(site, third, three, ours, error=-5017)["error"], -9, "step 14")
    expect(complete(site, third, three, ours)["error"], -9, "step 15")
    third.must_be("failed", balance=100_000_00)


@scenario(CODE, "each call may come to an address of its own, and only there (-3)")
def own_addresses(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(send(site, preparing(deposit, own), action="complete/")["error"], -3)
    expect(send(site, preparing(deposit, own), action="refund/")["error"], -3)
    ours = send(site, preparing(deposit, own), action="prepare/")["merchant_prepare_id"]
    expect(send(site, completing(deposit, own, ours), action="prepare/")["error"], -3)
    deposit.must_be("open")
    expect(send(site, completing(deposit, own, ours), action="complete/")["error"], 0)
    deposit.must_be("completed")


# --- Who calls, and how -----------------------------------------------------------------------------


@scenario(CODE, "a wrong signature, or none (-1)")
def wrong_signature(site: Site) -> None:
    deposit, own, ours = prepared(site)
    right = completing(deposit, own, ours)
    for wrong in ("", "x", "0" * 32, right["sign_string"][:-1], right["sign_string"].upper(), "Ж" * 32):
        expect(send(site, {**right, "sign_string": wrong})["error"], -1, wrong)
    expect(send(site, signed(fields_of(deposit, "1", own, merchant_prepare_id=ours), "other"))["error"], -1)
    deposit.must_be("open")


@scenario(CODE, "whatever is changed after signing is not believed (-1)")
def changed_after_signing(site: Site) -> None:
    deposit, own, ours = prepared(site)
    other = site.deposit(CODE)
    right = completing(deposit, own, ours)
    for name, value in (
        ("click_trans_id", str(own + 1)), ("merchant_trans_id", other.id), ("merchant_prepare_id", str(ours + 1)),
        ("amount", "50000.0"), ("amount", "1.00"), ("action", "0"), ("sign_time", "2026-03-14 15:09:27"),
        ("service_id", "1"),
    ):  # fmt: skip
        expect(send(site, {**right, name: value})["error"], -1, name)
    deposit.must_be("open")
    other.must_be("pending")


@scenario(CODE, "without a signature nobody learns whether a deposit exists or is paid (-1)")
def nothing_leaks(site: Site) -> None:
    deposit, own, ours = paid(site)
    for reference in (deposit.id, str(uuid4()), "x"):
        fields = fields_of(deposit, "1", own, merchant_prepare_id=ours, merchant_trans_id=reference)
        expect(send(site, signed(fields, "wrong"))["error"], -1, reference)


@scenario(CODE, "another service, rightly signed (-1 or -8)")
def foreign_service(site: Site) -> None:
    deposit = site.deposit(CODE)
    for service in ("54321", "", "0" + setting("CLICK_SERVICE_ID")):
        expect_in(prepare(site, deposit, number(), service_id=service)["error"], (-1, -8), service)
    deposit.must_be("pending")


@scenario(CODE, "an action that is neither 0 nor 1 (-3)")
def no_action(site: Site) -> None:
    deposit = site.deposit(CODE)
    for action in ("2", "-1", "", "x", "00", "1.0", "٠"):
        expect(send(site, signed(fields_of(deposit, action, number())))["error"], -3, action)


@scenario(CODE, "a parameter that is missing (-8)")
def missing(site: Site) -> None:
    deposit, own, ours = prepared(site)
    for name in ("click_trans_id", "service_id", "merchant_trans_id", "amount", "action", "error", "sign_time",
                 "sign_string", "merchant_prepare_id"):  # fmt: skip
        fields = completing(deposit, own, ours)
        del fields[name]
        expect(send(site, fields)["error"], -8, name)
    deposit.must_be("open")


@scenario(CODE, "a parameter that is malformed (-8)")
def malformed(site: Site) -> None:
    deposit = site.deposit(CODE)
    for name, value in (
        ("click_trans_id", "x"), ("click_trans_id", "0"), ("click_trans_id", "-5"), ("click_trans_id", "9" * 25),
        ("error", "x"), ("error", ""), ("error", "1"), ("error", "-" + "9" * 20), ("sign_time", ""), ("sign_time", "now"),
        ("sign_time", "2026-02-30 00:00:00"), ("sign_time", "0001-01-01 00:00:00"),
    ):  # fmt: skip
        expect(prepare(site, deposit, number(), **{name: value})["error"], -8, (name, value))
    deposit.must_be("pending")


@scenario(CODE, "a body that is no form, or not UTF-8; another method than POST (-8)")
def not_a_form(site: Site) -> None:
    for body in (b"", b"x", b"{}", b"\xff\xfe", b"amount=%ff", b"&&&", b"=&=", b"a=1&" * 500, b"\0"):
        expect(told(site.call("POST", URL, body, FORM))["error"], -8, body[:20])
    for method in ("GET", "PUT", "DELETE"):
        expect(told(site.call(method, URL, b"", FORM))["error"], -8, method)


@scenario(CODE, "a body of 64 KB is read, one byte more is not")
def oversized(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    right = urlencode(preparing(deposit, own)).encode() + b"&more="
    expect(site.call("POST", URL, right.ljust(LARGEST_BODY + 1, b"x"), FORM).status, 413)
    deposit.must_be("pending")
    expect(told(site.call("POST", URL, right.ljust(LARGEST_BODY, b"x"), FORM))["error"], 0)
    deposit.must_be("open")


# --- Amounts and references -------------------------------------------------------------------------


@scenario(CODE, "a wrong amount: zero, negative, NaN, an exponent, huge, too fine (-2)")
def wrong_amount(site: Site) -> None:
    deposit, own, ours = prepared(site)
    for amount in WRONG_TEXTS:
        expect(complete(site, deposit, own, ours, amount=amount)["error"], -2, amount)
        expect(prepare(site, deposit, number(), amount=amount)["error"], -2, amount)
    deposit.must_be("open")


@scenario(CODE, "the amount is compared as a number and hashed as a text")
def amount_as_number(site: Site) -> None:
    for amount in ("50000", "50000.0", "50000.000"):
        deposit, own = site.deposit(CODE), number()
        ours = prepare(site, deposit, own, amount=amount)["merchant_prepare_id"]
        expect(complete(site, deposit, own, ours, amount=amount)["error"], 0, amount)
        deposit.must_be("completed")


@scenario(CODE, "a deposit with tiyin is paid with tiyin")
def tiyin(site: Site) -> None:
    deposit, own = site.deposit(CODE, 33_139_73), number()
    expect(prepare(site, deposit, own, amount="33139.7")["error"], -2)
    ours = prepare(site, deposit, own, amount="33139.73")["merchant_prepare_id"]
    expect(complete(site, deposit, own, ours, amount="33139.73")["error"], 0)
    deposit.must_be("completed")


@scenario(CODE, "an unknown merchant_trans_id (-5)")
def unknown_reference(site: Site) -> None:
    deposit = site.deposit(CODE)
    for wrong in (
        str(uuid4()),
        "no-such",
        "",
        "5",
        deposit.id.replace("-", ""),
        f"{deposit.id} ",
        "\0",
        "Ж",
        "x" * 5000,
    ):
        expect(prepare(site, deposit, number(), merchant_trans_id=wrong)["error"], -5, wrong[:40])
        expect(complete(site, deposit, number(), 1, merchant_trans_id=wrong)["error"], -5, wrong[:40])


@scenario(CODE, "a merchant_prepare_id that is unknown, malformed or another deposit's (-6)")
def unknown_number(site: Site) -> None:
    deposit, own, ours = prepared(site)
    _other, _own, foreign = prepared(site)
    for wrong in ("999999999", "0", "-1", "x", "", str(2**63), "9" * 30, f"{ours}.0", foreign):
        expect(complete(site, deposit, own, wrong)["error"], -6, wrong)
    deposit.must_be("open")


@scenario(CODE, "complete before prepare, and with another of Click's numbers (-6)")
def out_of_order(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(complete(site, deposit, own, 1)["error"], -6)
    _deposit, own, ours = prepared(site, deposit)
    expect(complete(site, deposit, number(), ours)["error"], -6)
    deposit.must_be("open")
    expect(complete(site, deposit, own, ours)["error"], 0)
    deposit.must_be("completed")


@scenario(CODE, "Click's number cannot move to another deposit")
def number_moves(site: Site) -> None:
    _first, own, ours = paid(site)
    other = site.deposit(CODE)
    expect_in(prepare(site, other, own)["error"], (-8, -6, -4))
    expect(complete(site, other, own, ours)["error"], -6)
    other.must_be("pending")


# --- Repeats and order ------------------------------------------------------------------------------


@scenario(CODE, "a repeated prepare is the same try")
def prepare_again(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(prepare(site, deposit, own), prepare(site, deposit, own))
    deposit.must_be("open")


@scenario(CODE, "a paid deposit: complete again, prepare again, another try (-4)")
def already_paid(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    first = prepare(site, deposit, own)["merchant_prepare_id"]
    other, second = number(), 0
    second = prepare(site, deposit, other)["merchant_prepare_id"]
    expect(complete(site, deposit, own, first)["error"], 0)
    expect(complete(site, deposit, own, first)["error"], -4, "the same complete")
    expect(complete(site, deposit, other, second)["error"], -4, "the other try")
    expect(prepare(site, deposit, own)["error"], -4, "the same prepare")
    expect(prepare(site, deposit, number())["error"], -4, "a new prepare")
    expect(prepare(site, deposit, number(), amount="1")["error"], -4, "paid comes before the amount")
    deposit.must_be("completed")


@scenario(CODE, "a failure at Click closes the deposit, for good (-9)")
def declined(site: Site) -> None:
    deposit, own, ours = prepared(site)
    expect(complete(site, deposit, own, ours, error=-5017)["error"], -9)
    deposit.must_be("failed")
    expect(complete(site, deposit, own, ours, error=-5017)["error"], -9, "again")
    expect(complete(site, deposit, own, ours)["error"], -9, "a success after all")
    expect(prepare(site, deposit, number())["error"], -9, "a new prepare")
    deposit.must_be("failed")


@scenario(CODE, "a failure that comes late takes nothing back (-9)")
def late_failure(site: Site) -> None:
    deposit, own, ours = paid(site)
    expect_in(complete(site, deposit, own, ours, error=-1)["error"], (-9, -4))
    deposit.must_be("completed")


@scenario(CODE, "a prepare that tells of a failure opens nothing (-9)")
def failed_prepare(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(prepare(site, deposit, own, error=-5017)["error"], -9)
    deposit.must_be("pending")
    expect(pay(site, deposit), 0)


@scenario(CODE, "money that Click has taken counts, though another try has failed")
def taken_after_all(site: Site) -> None:
    deposit, own, ours = prepared(site)
    _deposit, other, theirs = prepared(site, deposit)
    expect(complete(site, deposit, other, theirs, error=-5017)["error"], -9)
    expect(complete(site, deposit, own, ours)["error"], 0)
    deposit.must_be("completed")


@scenario(CODE, "a try that nobody completes ends after a day (-9)", needs_local=True)
def expiry(site: Site) -> None:
    deposit, own, ours = prepared(site)
    site.beside.age(CODE, str(own), hours=25)
    expect(complete(site, deposit, own, ours)["error"], -9)
    deposit.must_be("pending")
    expect(pay(site, deposit), 0, "another try")
    deposit.must_be("completed")


@scenario(CODE, "a sign_time of years ago is kept, and decides nothing")
def old_sign_time(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    old = {"sign_time": "2011-01-01 00:00:00"}
    ours = prepare(site, deposit, own, **old)["merchant_prepare_id"]
    expect(complete(site, deposit, own, ours, **old)["error"], 0)
    deposit.must_be("completed")


# --- At the same moment -----------------------------------------------------------------------------


@scenario(CODE, "twenty completes at once: one success, the others already paid, money once")
def crowd_completes(site: Site) -> None:
    deposit, own, ours = prepared(site)
    answers = site.at_once([form(completing(deposit, own, ours))] * CROWD)
    expect(sorted(told(answer)["error"] for answer in answers), [-4] * (CROWD - 1) + [0])
    deposit.must_be("completed")


@scenario(CODE, "twenty prepares at once are one try")
def crowd_prepares(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    answers = [told(answer) for answer in site.at_once([form(preparing(deposit, own))] * CROWD)]
    for answer in answers:
        expect(answer, answers[0])
    expect(complete(site, deposit, own, answers[0]["merchant_prepare_id"])["error"], 0)
    deposit.must_be("completed")


@scenario(CODE, "twenty tries of one deposit completed at once: one is paid")
def crowd_of_numbers(site: Site) -> None:
    deposit = site.deposit(CODE)
    tries = [prepared(site, deposit)[1:] for _one in range(CROWD)]
    answers = site.at_once([form(completing(deposit, own, ours)) for own, ours in tries])
    expect(sorted(told(answer)["error"] for answer in answers), [-4] * (CROWD - 1) + [0])
    deposit.must_be("completed")


@scenario(CODE, "success and failure at once end as one of them, and the money agrees")
def crowd_quarrels(site: Site) -> None:
    deposit, own, ours = prepared(site)
    good, bad = completing(deposit, own, ours), completing(deposit, own, ours, error=-5017)
    answers = [told(answer)["error"] for answer in site.at_once([form(good), form(bad)] * (CROWD // 2))]
    deposit.must_be("completed" if 0 in answers else "failed")

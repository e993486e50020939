"""Nobody comes in where they should not: every route of the site, tried by everybody (`doors.py` is the list)."""

import re
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib import admin
from django.http import HttpResponse
from django.urls import URLPattern, get_resolver

from marketplace.core.testing import PATIENCE, Wire, call, played, socket, ticket_of
from marketplace.payments.tests.wire import through_test_client
from project.asgi import application
from project.tests.doors import ADMIN, DOORS, ORGANISERS, ROLES, SOCKETS, WITHOUT_CSRF
from project.tests.town import Caller, Town, address, built

pytestmark = pytest.mark.sweep
STRANGERS = {"rival": "buyer", "peer": "seller"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
ADMIN_ROLES = ["visitor", "buyer", "moderator", "finance", "clerk", "admin"]
ADMIN_PAGES = {"": "view", "add/": "add", "<object_id>/history/": "view", "<object_id>/delete/": "delete",
               "<object_id>/change/": "view", "<object_id>/": "view"}  # fmt: skip


def routes(patterns=None, before="/") -> Iterator[tuple[str, URLPattern]]:
    """Every route as the list writes it, with its pattern."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        path = before + re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", str(one.pattern))
        path = re.sub(r"<\w+:(\w+)>", r"<\1>", path).replace("^", "").replace("$", "")
        if isinstance(one, URLPattern):
            yield path, one
        else:
            yield from routes(one.url_patterns, path)


def lines(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines() if line and not line.startswith("#")]


def doors() -> list[tuple[str, str, dict[str, str]]]:
    """Method, route and what each role gets."""
    return [(method, route, cells(given)) for method, route, *given in lines(DOORS)]


def cells(given: list[str]) -> dict[str, str]:
    if len(given) == len(ROLES) - len(ORGANISERS):
        given = [*given, *[given[ROLES.index("peer")]] * len(ORGANISERS)]
    assert len(given) in {1, 2, len(ROLES)}, given
    if len(given) < len(ROLES):
        given = [given[0], *[given[-1]] * (len(ROLES) - 1)]
    return dict(zip(ROLES, given, strict=True))


def models() -> dict[str, tuple[set[str], set[str]]]:
    """By its name in addresses: what a superuser may do with a model, and which other roles may look at it."""
    words = {name.replace(".", "/"): set(rights) for name, *rights in lines(ADMIN)}
    return {name: (found - set(ROLES), found & set(ROLES)) for name, found in words.items()}


def admin_routes() -> set[str]:
    return {f"/admin/{model}/{page}" for model in models() for page in ADMIN_PAGES}


def bare(route: str) -> str:
    return re.sub(r"=\w+>", ">", route)


def got(response) -> str:
    """The status; `in` for the way to the sign-in page."""
    is_sign_in = response.status_code == 302 and "/login/?next=" in response["Location"]
    return "in" if is_sign_in else str(response.status_code)


@pytest.fixture
def town(db, monkeypatch) -> Town:
    through_test_client(monkeypatch)
    # Refusals are asked for by the hundred, and their pages are tried elsewhere.
    for status in (403, 404):
        plain = partial(HttpResponse, status=status)
        monkeypatch.setattr(
            f"project.urls.handler{status}", lambda *_a, answer=plain, **_k: answer(), raising=False
        )
    return built()


@pytest.fixture
def callers(town) -> dict[str, Caller]:
    return {role: Caller(town.people[role]) for role in ROLES}


# --- The list is whole --------------------------------------------------------------------------------


def test_every_route_stands_in_the_list():
    listed = {bare(route) for _method, route, _cells in doors()} | admin_routes()

    missing = {route for route, _pattern in routes()} - listed

    assert not missing, f"Say in doors.py who may come in: {sorted(missing)}"


def test_no_line_of_the_list_is_about_a_route_that_is_gone():
    listed = {bare(route) for _method, route, _cells in doors()} | admin_routes()

    assert listed - {route for route, _pattern in routes()} == set()


def test_no_line_stands_twice():
    named = [(method, route) for method, route, _cells in doors()]

    assert len(named) == len(set(named))


def test_only_the_named_doors_take_forms_without_our_token():
    """Views of the API are out of Django's own check and ask for the token wherever a cookie was what let somebody in."""
    exempt = {
        route
        for route, pattern in routes()
        if getattr(pattern.callback, "csrf_exempt", False) and not hasattr(pattern.callback, "cls")
    }

    assert exempt == WITHOUT_CSRF


# --- Who gets what ------------------------------------------------------------------------------------


def test_each_door_gives_each_person_what_the_list_says(town, callers):
    wrong = []
    for method, route, wanted in doors():
        path = address(route, town.here.ids)
        # Where nothing is anybody's, the strangers are like the people of the house.
        roles = ROLES if "<" in route else [role for role in ROLES if role not in STRANGERS]
        found = {role: got(callers[role].call(method, path)) for role in roles}
        if any(found[role] != wanted[role] for role in roles):
            wrong.append(f"{method:6} {route:63} {' '.join(f'{found.get(one, "."):>4}' for one in ROLES)}")

    assert not wrong, "\n".join(["What was found, where it is not what is listed:", *wrong])


def test_the_other_pairs_ids_open_for_them_what_ours_open_for_us(town, callers):
    """Everything that is somebody's once more, with the two pairs in each other's place: no id is good for a stranger."""
    town, wrong = town.mirrored(), []
    people = STRANGERS | {role: stranger for stranger, role in STRANGERS.items()}
    for method, route, wanted in doors():
        if len({wanted[role] for role in people}) == 1:
            continue
        path = address(route, town.here.ids)
        found = {role: got(callers[other].call(method, path)) for role, other in people.items()}
        wrong += [
            f"{method} {path} as the other {role}: {one}, not {wanted[role]}"
            for role, one in found.items()
            if one != wanted[role]
        ]

    assert not wrong, "\n".join(wrong)


def test_a_method_that_is_not_listed_does_nothing(town, callers):
    """For visitors and for somebody whose ids they are: refused, or taken for a GET.

    Pages of allauth and the administration take a PUT for a POST, which needs our token as well.
    """
    listed: dict[str, dict[str, dict[str, str]]] = {}
    for method, route, wanted in doors():
        listed.setdefault(route, {})[method] = wanted
    open_doors = []
    for route, known in listed.items():
        path = address(route, town.here.ids)
        for method in METHODS:
            if method in known or (route.startswith(("/accounts/", "/admin/")) and method == "PUT"):
                continue
            for role in ("visitor", "buyer"):
                found = got(callers[role].call(method, path))
                like_get = known["GET"][role] if "GET" in known else "405"
                if found not in {"in", "401", "403", "404", "405"} and found != like_get:
                    open_doors.append(f"{method} {path} as {role}: {found}")

    assert not open_doors, "\n".join(open_doors)


# --- The administration -------------------------------------------------------------------------------


def test_every_model_of_the_administration_is_listed():
    assert set(models()) == {model._meta.label_lower.replace(".", "/") for model in admin.site._registry}


def row_of(model: str) -> str:
    """The id of a row in the town, or one that nobody has."""
    row = apps.get_model(*model.split("/"))._base_manager.first()
    return quote(str(row.pk)) if row else "00000000-0000-7000-8000-000000000000"


def test_the_administration_shows_each_of_the_staff_their_models_only(callers):
    wrong = []
    for model, (rights, lookers) in models().items():
        for page, right in ADMIN_PAGES.items():
            path = f"/admin/{model}/{page.replace('<object_id>', row_of(model))}"
            for role in ADMIN_ROLES:
                found = got(callers[role].call("GET", path))
                wanted = {"403", "302"} if page.startswith("<") else {"403"}  # 302: to the index, no such row
                if role in {"visitor", "buyer"}:
                    wanted = {"in"}
                elif (role == "admin" and right in rights) or (role in lookers and right == "view"):
                    wanted = {"200", "302"}
                if found not in wanted:
                    wrong.append(f"{path} as {role}: {found}, not {wanted}")

    assert not wrong, "\n".join(wrong)


def test_nothing_is_written_in_the_administration_by_who_may_only_look(callers):
    wrong = []
    for model, (rights, _lookers) in models().items():
        for act in ("add", "change", "delete"):
            path = f"/admin/{model}/{act}/" if act == "add" else f"/admin/{model}/{row_of(model)}/{act}/"
            for role in ADMIN_ROLES:
                if role == "admin" and act in rights:
                    continue
                found = got(callers[role].call("POST", path))
                if found not in {"in", "403", "302"}:  # 302: to the index, no such row
                    wrong.append(f"{path} as {role}: {found}")

    assert not wrong, "\n".join(wrong)


# --- Sockets ------------------------------------------------------------------------------------------


def socket_routes() -> set[str]:
    """As the ASGI application has them, below its door."""
    router = application.application_mapping["websocket"].application
    patterns = (str(route.pattern) for route in router.routes)
    return {"/" + re.sub(r"<\w+:(\w+)>", r"<\1>", pattern) for pattern in patterns if pattern}


async def answer(wire: Wire) -> str:
    """The code with which a socket is closed, or `open`: it answers a ping."""
    is_open, code = await wire.connect()
    if is_open:
        await wire.say("ping")
    while is_open:
        message = await wire.receive_output(PATIENCE)
        if message["type"] == "websocket.close":
            return str(message["code"])
        if '"pong"' in message.get("text", ""):
            return "open"
    return str(code)


def test_every_socket_stands_in_the_list():
    assert socket_routes() == {bare(route) for route, *_cells in lines(SOCKETS)}


@pytest.mark.django_db(transaction=True)
@played
async def test_each_socket_lets_in_whom_the_list_names():
    town = await call(built)
    wrong = []
    for route, *given in lines(SOCKETS):
        found = {}
        for role, user in town.people.items():
            ticket = await call(ticket_of, user) if user else ""
            wire = socket(address(route, town.here.ids), ticket=ticket)
            found[role] = await answer(wire)
            await wire.__aexit__()
        if found != cells(given):
            wrong.append(f"{route:43} {' '.join(f'{one:>4}' for one in found.values())}")

    assert not wrong, "\n".join(wrong)

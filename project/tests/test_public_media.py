"""What people have sent, as it is served: read over HTTP from the developer's server, and from nginx with our own rules."""

import http.client
import io
import re
import struct
import threading
import zlib
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from PIL import Image, ImageDraw

from marketplace.accounts import pictures
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.views import MEDIA_TYPES
from project.tests import nginx

pytestmark = pytest.mark.django_db
BLOCK = nginx.rule("location /media/")
EDIT = "/me/edit/"
FORM = {
    "full_name": "Aziza",
    "username": "",
    "phone_number": "",
    "language": "en",
    "timezone": "Asia/Tashkent",
}
# A phone's photo says where it was taken.
GPS = {1: "N", 2: (41.0, 18.0, 40.0), 3: "E", 4: (69.0, 16.0, 46.0)}
HOSTILE = [
    "../../x.php", "x.php.webp", "x.webp.php", "a" * 300 + ".png", "расм ўғил.png", "a\x00.php.png", "..", "con.png",
    "<img src=x onerror=alert(1)>.png", 'a".png', "a\r\nSet-Cookie: x=1.png", ".htaccess", "C:\\x\\y.png",
]  # fmt: skip


@pytest.fixture
def user(client):
    user = UserFactory()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


def photo(kind="JPEG", *, size=(640, 480), mode="RGB", **more):
    """Red on the left, blue on the right, with all that a phone writes beside the pixels."""
    image = Image.new(mode, size, "red")
    ImageDraw.Draw(image).rectangle([size[0] // 2, 0, *size], fill="blue")
    exif = Image.Exif()
    exif[0x010F], exif[0x0131] = "SecretPhone", "SecretSoftware"
    exif.get_ifd(0x8825).update(GPS)
    out = io.BytesIO()
    image.save(out, kind, **({} if kind == "GIF" else {"exif": exif}), **more)
    return out.getvalue()


def moving(kind):
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def bomb(side=8_000):
    """A PNG of a few kilobytes that is, truly, 64 million pixels: more than ours, less than Pillow itself refuses."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\0" * (side // 8)) * side, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def send(client, user, data, name="me.jpg", kind="image/jpeg"):
    return client.post(EDIT, FORM | {"avatar": SimpleUploadedFile(name, data, kind)})


def kept(user):
    user.refresh_from_db()
    return Path(user.avatar.path).read_bytes()


# --- What is kept -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_of_a_person_is_a_square_of_our_own(client, user, kind):
    assert send(client, user, photo(kind)).status_code == 302

    data = kept(user)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size, image.mode) == ("WEBP", (pictures.SIDE, pictures.SIDE), "RGB")
        assert not image.info.get("exif")
        assert not dict(image.getexif())
        red, blue = image.getpixel((20, 160)), image.getpixel((300, 160))
    assert red[0] > 200
    assert blue[2] > 200
    assert not [word for word in (b"Secret", b"Exif", b"GPS", b"ICC", b"xmp") if word in data]


def test_a_phones_photo_stands_upright(client, user):
    image = Image.new("RGB", (400, 300), "red")
    ImageDraw.Draw(image).rectangle([0, 150, 400, 300], fill="blue")
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)

    send(client, user, out.getvalue())

    with Image.open(io.BytesIO(kept(user))) as shown:
        assert shown.getpixel((160, 20))[2] > 200


def test_what_is_hidden_behind_a_picture_does_not_get_through(client, user):
    send(client, user, photo("PNG") + b"<?php system($_GET[0]); ?><script>alert(1)</script>")

    assert b"php" not in kept(user)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (lambda: moving("WEBP"), "Choose a picture that does not move."),
        (lambda: moving("PNG"), "Choose a picture that does not move."),
        (lambda: moving("GIF"), "Choose a JPEG, PNG or WebP picture."),
        (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "Choose a JPEG, PNG or WebP picture."),
        (lambda: photo("TIFF"), "Choose a JPEG, PNG or WebP picture."),
        (lambda: b"%PDF-1.7", "Choose a JPEG, PNG or WebP picture."),
        (lambda: photo("JPEG")[:400], "Choose a JPEG, PNG or WebP picture."),
        (lambda: b"", "Choose a JPEG, PNG or WebP picture."),
        (bomb, "The picture has too many pixels. Make it smaller first."),
        (lambda: photo("PNG") + b"\0" * pictures.MAX_BYTES, "The picture is larger than 2 MB."),
    ],
    ids=["webp-moves", "png-moves", "gif", "svg", "tiff", "pdf", "cut", "empty", "bomb", "heavy"],
)  # fmt: skip
def test_anything_else_is_refused_beside_its_field_and_nothing_stays(client, user, data, told, monkeypatch):
    unpacked = []
    load = Image.Image.load
    monkeypatch.setattr(Image.Image, "load", lambda self: (unpacked.append(self.size), load(self))[1])

    answer = send(client, user, data(), "me.png", "image/png")

    assert answer.status_code == 422
    assert answer.context["form"].errors == {"avatar": [told]}
    assert (8_000, 8_000) not in unpacked, "a bomb is known by its header"
    user.refresh_from_db()
    assert not user.avatar


def test_the_admin_is_no_way_around(client, user):
    client.force_login(StaffFactory(), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/admin/accounts/user/{user.pk}/change/")
    form = {
        name: value for name, value in page.context["adminform"].form.initial.items() if value is not None
    }
    form.pop("password")
    form["avatar"] = SimpleUploadedFile("x.php.jpg", photo(), "image/jpeg")

    client.post(f"/admin/accounts/user/{user.pk}/change/", form)

    assert kept(user)[8:12] == b"WEBP"
    assert user.avatar.name.endswith(".webp")


def test_the_old_file_goes_with_the_new_one_and_with_none(client, user, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        send(client, user, photo())
    kept(user)
    first = user.avatar.name
    with django_capture_on_commit_callbacks(execute=True):
        send(client, user, photo())
    kept(user)
    second = user.avatar.name
    with django_capture_on_commit_callbacks(execute=True):
        client.post(EDIT, FORM | {"avatar-clear": "on"})

    assert first != second
    assert [default_storage.exists(name) for name in (first, second)] == [False, False]
    assert not User.objects.get(pk=user.pk).avatar


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_a_stranger_reaches_the_disk(client, user, name, settings, tmp_path):
    """Sent as bytes, for a polite client would clean it."""
    settings.MEDIA_ROOT = tmp_path / "media"  # others write at the same time
    mark = "----x"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in FORM.items()
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="avatar"; filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = b"".join(parts) + head.encode() + photo() + f"\r\n--{mark}--\r\n".encode()

    answer = client.post(EDIT, body, content_type=f"multipart/form-data; boundary={mark}")

    assert answer.status_code in {302, 422}, "a name may be refused; it never breaks a page"
    new = [path for path in tmp_path.rglob("*") if path.is_file()]
    user.refresh_from_db()
    assert [str(path.relative_to(settings.MEDIA_ROOT)) for path in new] == (
        [user.avatar.name] if user.avatar else []
    )
    assert not user.avatar or re.fullmatch(r"avatars/[0-9a-f]{32}\.webp", user.avatar.name)


# --- How it is served -------------------------------------------------------------------------------

FILES = {
    "a.webp": "image/webp", "b.JPG": "image/jpeg", "c.png": "image/png",
    # Nobody puts such files there; should somebody, they are nothing to a browser.
    "x.php": None, "x.html": None, "x.svg": None, "x.js": None, "x.css": None, "x.xml": None, "x.webp.html": None,
    "x.pdf": None, "x": None, "x.phtml": None, "x.cgi": None,
}  # fmt: skip
BODY = b"<script>alert(document.domain)</script><?php phpinfo(); ?>"


def guards(answer):
    """The headers that matter, of an answer of http.client."""
    policy = answer.getheader("Content-Security-Policy")
    return {
        "nosniff": answer.getheader("X-Content-Type-Options") == "nosniff",
        "sandbox": {"sandbox", "default-src 'none'"} <= set(re.split(r";\s*", policy or "")),
        "once": len(answer.headers.get_all("Content-Type")) == 1,
    }


def check(answer, kind):
    assert answer.status == 200
    assert answer.read() == BODY
    assert answer.getheader("Content-Type") == (kind or "application/octet-stream")
    assert answer.getheader("Content-Disposition") == ("inline" if kind else "attachment")
    assert guards(answer) == {"nosniff": True, "sandbox": True, "once": True}
    assert answer.getheader("Set-Cookie") is None


@pytest.fixture
def server():
    """Our own application over HTTP. (Django's live server of tests serves /media/ by itself, past our rules.)"""
    listening = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    listening.set_app(get_wsgi_application())
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield listening.server_address
    listening.shutdown()
    listening.server_close()
    thread.join()


def test_the_developers_server_serves_it_as_nothing_that_runs(server, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    for name in FILES:
        (tmp_path / name).write_bytes(BODY)

    for name, kind in FILES.items():
        caller = http.client.HTTPConnection(*server, timeout=10)
        caller.request("GET", f"/media/{name}")
        check(caller.getresponse(), kind)
        caller.close()


@pytest.mark.parametrize(
    "path",
    ["../manage.py", "..%2f..%2fmanage.py", "%2e%2e/manage.py", "a\\..\\x", "", "none.webp", "x%00.webp"],
)
def test_it_leads_out_of_no_folder_and_lists_none(client, path, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    (tmp_path / "manage.py").write_text("secret")

    answer = client.get(f"/media/{path}")

    assert answer.status_code in {400, 404}
    assert b"secret" not in answer.content


def test_nobody_sends_anything_there(client):
    assert client.post("/media/a.webp").status_code == 405


def test_nginx_knows_the_same_kinds():
    types = re.search(r"types \{(.*?)\}", BLOCK, re.S)[1]
    listed = {
        f".{ending}": kind
        for kind, *endings in map(str.split, re.findall(r"[^;\n]+(?=;)", types))
        for ending in endings
    }

    assert listed == MEDIA_TYPES
    assert "default_type application/octet-stream;" in BLOCK


@pytest.mark.skipif(nginx.program is None, reason="nginx is not installed")
def test_nginx_serves_it_as_nothing_that_runs(tmp_path):
    media = tmp_path / "media"
    media.mkdir()
    for name in FILES:
        (media / name).write_bytes(BODY)
    before = "include /etc/nginx/mime.types; access_log off; map $uri $https_only { default ''; }\n"
    before += nginx.rule("map $uri $media_disposition")

    with nginx.running(tmp_path, before=before, server=BLOCK.replace("/srv/media/", f"{media}/")) as address:
        for name, kind in FILES.items():
            check(nginx.asked(address, "GET", f"/media/{name}"), kind)
        missing = nginx.asked(address, "GET", "/media/none.webp")
        sent = nginx.asked(address, "POST", "/media/a.webp")
        folder = nginx.asked(address, "GET", "/media/")
        out = nginx.asked(address, "GET", "/media/../nginx.conf")

    assert [one.status for one in (missing, sent, folder, out)] == [404, 403, 403, 404]
    assert guards(missing)["sandbox"], "its own error page too"

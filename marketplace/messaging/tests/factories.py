"""Conversations made by the real services."""

import io
import uuid

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from marketplace.accounts.tests.factories import UserFactory
from marketplace.listings.tests.factories import ListingFactory
from marketplace.messaging import services
from marketplace.messaging.attachments import prepare


def conversation(**listing):
    """A buyer's thread with a seller about an offer, with nothing said."""
    return services.open_about(listing=ListingFactory(**listing), buyer=UserFactory())


def said(thread, text="Salom", *, by=None, **more):
    return services.send(conversation_id=thread.pk, sender=by or thread.buyer, text=text, **more)


def picture(name="photo.png", size=(640, 480), kind="PNG", color="navy"):
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, kind)
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/png")


def file(content=b"%PDF-1.7 hello", name="receipt.pdf"):
    return SimpleUploadedFile(name, content, content_type="application/octet-stream")


def with_picture(thread, **more):
    return said(thread, more.pop("text", ""), attachment=prepare(picture()), **more)


def client_id():
    return uuid.uuid4()

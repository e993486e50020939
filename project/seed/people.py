"""Who is there: an admin, a moderator, eight sellers of different standing, twelve buyers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission

from marketplace.accounts.models import User
from marketplace.listings.services.bulk import note_seller

PASSWORD = "WibeDemo2026"  # noqa: S105 (the demo prints it)  # nosec B105 (of people who do not exist)


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str
    plan: str = "free"
    rating: str = ""
    language: str = "uz"
    username: str | None = None
    years: float = 1.0


ADMIN = Person("Malika Admin", "admin@wibestore.test", language="en")
MODERATOR = Person("Jahongir Moderator", "moderator@wibestore.test", language="ru")
SELLERS = (
    Person("Aziz Karimov", "aziz@wibestore.test", "premium", "4.92", "uz", "aziz_karimov", 3.2),
    Person("Dilnoza Rahimova", "dilnoza@wibestore.test", "pro", "4.97", "uz", "dilnoza", 2.6),
    Person("Максим Тен", "maksim@wibestore.test", "pro", "4.81", "ru", "maksim_ten", 2.1),
    Person("Sardor Ergashev", "sardor@wibestore.test", "free", "4.70", "uz", "sardor_ace", 1.7),
    Person("Камила Юсупова", "kamila@wibestore.test", "premium", "4.88", "ru", None, 2.9),
    Person("Oybek Gʻulomov", "oybek@wibestore.test", "free", "4.10", "uz", "oybek_g", 1.1),
    Person("Timur Store", "timur@wibestore.test", "pro", "4.90", "ru", "timur_store", 4.0),
    Person("Bekzod Salimov", "bekzod@wibestore.test", "free", "", "uz", None, 0.1),
)
BUYERS = (
    Person("Jasur Aliyev", "jasur@wibestore.test", "premium", username="jasur"),
    Person("Nargiza Tosheva", "nargiza@wibestore.test", "premium"),
    Person("Rustam Yoʻldoshev", "rustam@wibestore.test"),
    Person("Алина Ким", "alina@wibestore.test", language="ru"),
    Person("Shohruh Qodirov", "shohruh@wibestore.test"),
    Person("Елена Пак", "elena@wibestore.test", language="ru"),
    Person("Davron Ismoilov", "davron@wibestore.test"),
    Person("Малика Сеитова", "seitova@wibestore.test", language="ru"),
    Person("Otabek Nazarov", "otabek@wibestore.test"),
    Person("Ерлан Нурланов", "erlan@wibestore.test", language="ru"),
    Person("Gulnoza Xasanova", "gulnoza@wibestore.test"),
    Person("Jamshid Toʻrayev", "jamshid@wibestore.test", language="en"),
)


def make(person: Person, *, now: datetime, staff: bool = False, superuser: bool = False) -> User:
    """The person's row with a confirmed address; made if it is not there."""
    user = User.objects.filter(email=person.email).first()
    if user:
        return user
    user = User.objects.create_user(
        person.email,
        PASSWORD,
        full_name=person.name,
        username=person.username,
        language=person.language,
        is_verified=True,
        is_staff=staff or superuser,
        is_superuser=superuser,
        created_at=now - timedelta(days=365 * person.years),
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def moderators_group() -> Group:
    """Who is in it works at the moderation screens, and in the demo at the desks of money too."""
    group, _made = Group.objects.get_or_create(name="Moderators")
    rights = (
        "listings.moderate_listing",
        "messaging.read_reported",
        "escrow.refund_trade",
        "payments.settle_withdrawal",
        "payments.refund_payment",
        "ledger.view_audit",
    )
    for right in rights:
        app, codename = right.split(".")
        group.permissions.add(*Permission.objects.filter(codename=codename, content_type__app_label=app))
    return group


def mark(person: Person, user: User) -> None:
    """The seller's mark, by as many people as have bought from them. Reviews themselves come with their own app."""
    user.refresh_from_db()
    if person.rating and user.total_sales and not user.rating_count:
        user.rating, user.rating_count = Decimal(person.rating), user.total_sales
        user.save(update_fields=["rating", "rating_count"])
        note_seller(seller_id=user.pk, rating=user.rating)

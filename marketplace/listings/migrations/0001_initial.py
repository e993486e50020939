import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import marketplace.core.fields
import marketplace.core.ids
import marketplace.listings.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("games", "0002_first_games"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Listing",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=marketplace.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "deleted_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="deleted"),
                ),
                ("title", models.CharField(max_length=120, verbose_name="title")),
                ("description", models.TextField(blank=True, max_length=5000, verbose_name="description")),
                ("price", models.BigIntegerField(help_text="In minor units.", verbose_name="price")),
                (
                    "original_price",
                    models.BigIntegerField(
                        blank=True,
                        help_text="In minor units.",
                        null=True,
                        verbose_name="price before discount",
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        choices=[("UZS", "Uzbek soʻm"), ("KZT", "Kazakh tenge"), ("USD", "US dollar")],
                        default="UZS",
                        max_length=3,
                        verbose_name="currency",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("pending", "In review"),
                            ("active", "On sale"),
                            ("reserved", "Being bought"),
                            ("sold", "Sold"),
                            ("rejected", "Rejected"),
                            ("blocked", "Blocked"),
                            ("archived", "Withdrawn"),
                        ],
                        default="draft",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                (
                    "is_premium",
                    models.BooleanField(
                        default=False,
                        help_text="Highlighted, and first within the same relevance.",
                        verbose_name="premium",
                    ),
                ),
                (
                    "login_method",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("phone", "Phone number"),
                            ("username", "Username"),
                            ("social", "Social network"),
                        ],
                        default="email",
                        help_text="How one signs in to the account.",
                        max_length=8,
                        verbose_name="log-in by",
                    ),
                ),
                (
                    "attributes",
                    models.JSONField(
                        blank=True, default=dict, help_text="By the game's schema.", verbose_name="attributes"
                    ),
                ),
                (
                    "features",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Short selling points, in order.",
                        verbose_name="features",
                    ),
                ),
                ("views_count", models.PositiveIntegerField(default=0, editable=False, verbose_name="views")),
                (
                    "favorites_count",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="favourites"),
                ),
                (
                    "submitted_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="sent to review"
                    ),
                ),
                (
                    "moderated_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="decided"),
                ),
                (
                    "approved_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="approved"),
                ),
                (
                    "rejected_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="rejected"),
                ),
                ("rejection_reason", models.TextField(blank=True, verbose_name="reason for rejection")),
                ("sold_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="sold")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "cover",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="The first picture's card rendition.",
                        max_length=200,
                    ),
                ),
                (
                    "seller_rating",
                    models.DecimalField(decimal_places=2, default=0, editable=False, max_digits=3),
                ),
                ("search_title", models.CharField(blank=True, default="", editable=False, max_length=400)),
                ("search_text", models.TextField(blank=True, default="", editable=False)),
                (
                    "game",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="listings",
                        to="games.game",
                    ),
                ),
                (
                    "moderated_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="moderated_listings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="listings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "listing",
                "verbose_name_plural": "listings",
                "permissions": [("moderate_listing", "Can decide about listings")],
            },
        ),
        migrations.CreateModel(
            name="Credentials",
            fields=[
                (
                    "listing",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="credentials",
                        serialize=False,
                        to="listings.listing",
                    ),
                ),
                (
                    "account_email",
                    marketplace.core.fields.EncryptedTextField(
                        help_text="The e-mail, phone number or user name one signs in with."
                    ),
                ),
                ("account_password", marketplace.core.fields.EncryptedTextField()),
                (
                    "additional_info",
                    marketplace.core.fields.EncryptedJSONField(
                        blank=True, default=dict, help_text='Recovery codes and the like: {"note": …}.'
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name": "log-in details",
                "verbose_name_plural": "log-in details",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Favorite",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=marketplace.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "listing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="favorites",
                        to="listings.listing",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="favorites",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ListingImage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=marketplace.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "image",
                    models.ImageField(
                        height_field="height",
                        max_length=200,
                        upload_to=marketplace.listings.models.picture_path,
                        verbose_name="picture",
                        width_field="width",
                    ),
                ),
                (
                    "card",
                    models.FileField(
                        help_text="640 × 400, cropped.",
                        max_length=200,
                        upload_to=marketplace.listings.models.picture_path,
                    ),
                ),
                (
                    "thumb",
                    models.FileField(
                        help_text="160 × 100, cropped.",
                        max_length=200,
                        upload_to=marketplace.listings.models.picture_path,
                    ),
                ),
                ("width", models.PositiveIntegerField(editable=False)),
                ("height", models.PositiveIntegerField(editable=False)),
                ("is_primary", models.BooleanField(default=False, verbose_name="first picture")),
                ("sort_order", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "listing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="images",
                        to="listings.listing",
                    ),
                ),
            ],
            options={
                "ordering": ["sort_order", "id"],
            },
        ),
        migrations.CreateModel(
            name="ListingView",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=marketplace.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("visitor", models.CharField(max_length=32)),
                ("day", models.DateField()),
                ("viewed_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "listing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="views",
                        to="listings.listing",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("word", models.CharField(max_length=40, primary_key=True, serialize=False)),
                (
                    "sound",
                    models.CharField(
                        help_text="The word with letters that are mistaken for one another made equal.",
                        max_length=40,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["sound"], name="search_word_sound")],
            },
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(fields=["seller", "status"], name="listing_seller_status"),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(fields=["game", "status", "created_at"], name="listing_game_status_created"),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(fields=["created_at"], name="listing_created"),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["submitted_at"], name="listing_queue"
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                models.F("is_premium"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True), ("status", "active")),
                name="listing_shelf",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                models.F("game"),
                models.F("is_premium"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True), ("status", "active")),
                name="listing_game_shelf",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                "is_premium",
                "id",
                condition=models.Q(
                    ("deleted_at__isnull", True), ("status", "active"), models.Q(("cover", ""), _negated=True)
                ),
                name="listing_with_pictures",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                models.F("price"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True), ("status", "active")),
                name="listing_by_price",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                models.F("game"),
                models.F("price"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True), ("status", "active")),
                name="listing_game_by_price",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                models.F("views_count"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True), ("status", "active")),
                name="listing_by_views",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(
                models.F("seller_rating"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True), ("status", "active")),
                name="listing_by_rating",
            ),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(("price__gt", 0)), name="listing_price_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("original_price__isnull", True),
                    ("original_price__gt", models.F("price")),
                    _connector="OR",
                ),
                name="listing_original_price_above_price",
            ),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["active", "reserved", "sold"]), _negated=True),
                    ("approved_at__isnull", False),
                    _connector="OR",
                ),
                name="listing_on_sale_was_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sold_at__isnull", False), ("status", "sold")),
                    models.Q(models.Q(("status", "sold"), _negated=True), ("sold_at__isnull", True)),
                    _connector="OR",
                ),
                name="listing_sold_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "pending"), _negated=True),
                    ("submitted_at__isnull", False),
                    _connector="OR",
                ),
                name="listing_pending_was_submitted",
            ),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "rejected"), _negated=True),
                    models.Q(
                        ("rejected_at__isnull", False), models.Q(("rejection_reason", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="listing_rejected_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("deleted_at__isnull", True),
                    models.Q(("status", "reserved"), _negated=True),
                    _connector="OR",
                ),
                name="listing_reserved_is_not_deleted",
            ),
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["draft", "pending", "active", "reserved", "sold", "rejected", "blocked", "archived"],
                    )
                ),
                name="listing_status_known",
            ),
        ),
        migrations.AddIndex(
            model_name="favorite",
            index=models.Index(fields=["user", "-created_at"], name="favorite_newest"),
        ),
        migrations.AddConstraint(
            model_name="favorite",
            constraint=models.UniqueConstraint(fields=("user", "listing"), name="favorite_once"),
        ),
        migrations.AddConstraint(
            model_name="listingimage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_primary", True)),
                fields=("listing",),
                name="listing_image_one_primary",
            ),
        ),
        migrations.AddIndex(
            model_name="listingview",
            index=models.Index(fields=["day"], name="listing_view_day"),
        ),
        migrations.AddConstraint(
            model_name="listingview",
            constraint=models.UniqueConstraint(
                fields=("listing", "visitor", "day"), name="listing_view_once_a_day"
            ),
        ),
    ]

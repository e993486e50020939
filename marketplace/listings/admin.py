from django.contrib import admin

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.listings.models import Favorite, Listing, ListingImage


class ImageInline(admin.TabularInline):
    model = ListingImage
    extra = 0
    fields = ["image", "width", "height", "is_primary", "sort_order"]
    readonly_fields = ["image", "width", "height", "is_primary", "sort_order"]
    can_delete = False


@admin.register(Listing)
class ListingAdmin(ReadOnlyAdmin):
    """Staff read listings here and decide about them at the moderation screens. The vault is not shown."""

    list_display = ["title", "game", "seller", "status", "price", "currency", "is_premium", "created_at"]
    list_select_related = ["game", "seller"]
    list_filter = ["status", "is_premium", "game"]
    search_fields = ["title", "seller__email", "seller__handle", "id"]
    exclude = ["search_title", "search_text"]
    inlines = [ImageInline]


@admin.register(Favorite)
class FavoriteAdmin(ReadOnlyAdmin):
    list_display = ["user", "listing", "created_at"]
    list_select_related = ["user", "listing"]

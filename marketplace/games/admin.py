from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from marketplace.games import services
from marketplace.games.models import Category, Game


@admin.register(Game)
class GameAdmin(admin.ModelAdmin):
    list_display = ["icon", "name", "slug", "category", "is_active", "sort_order"]
    list_display_links = ["name"]
    list_select_related = ["category"]
    list_filter = ["is_active", "category"]
    search_fields = ["name", "slug"]

    def save_model(self, request: HttpRequest, obj: Game, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        services.save(game=obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False  # listings point here for ever: switch a game off instead


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "name_ru", "name_en", "slug", "parent", "sort_order"]
    list_select_related = ["parent"]

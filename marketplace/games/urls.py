from django.urls import path

from marketplace.games import views

app_name = "games"
urlpatterns = [
    path("games/", views.game_list, name="list"),
    path("covers/<slug:slug>/<int:variant>.svg", views.cover, name="cover"),
]

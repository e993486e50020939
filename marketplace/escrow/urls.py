from django.urls import path

app_name = "escrow"
urlpatterns: list = []

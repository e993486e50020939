"""Keep of a known device from which country it was last signed in with. Those from before have none until they come again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_hashed_recovery_codes")]

    operations = [
        migrations.AddField(
            model_name="knowndevice",
            name="country",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=2, verbose_name="country"
            ),
        ),
    ]

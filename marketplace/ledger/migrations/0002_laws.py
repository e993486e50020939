"""The ledger's laws, kept by the database: see docs/decisions/0001-ledger-laws.md.

On SQLite a later migration that rebuilds one of these tables (AlterField and the like) drops its triggers: such a
migration must lay the laws again. The test of the laws and `manage.py reconcile` both notice when one is missing.
"""

from django.db import migrations

POSTGRES = [
    # 1. Append-only. TRUNCATE is let through only where a session says so, which the test suite does between tests.
    """
    CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'TRUNCATE' AND current_setting('wibestore.allow_truncate', true) = 'on' THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION 'ledger is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    *(
        f"""
        CREATE TRIGGER ledger_append_only_{when.lower()} BEFORE {when} ON {table}
        FOR EACH {"STATEMENT" if when == "TRUNCATE" else "ROW"} EXECUTE FUNCTION ledger_append_only()
        """
        for table in ("ledger_journalentry", "ledger_posting")
        for when in ("UPDATE", "DELETE", "TRUNCATE")
    ),
    # 2. At the commit every entry has postings, and they sum to zero (none of them is zero, so there are two or more).
    """
    CREATE FUNCTION ledger_entry_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        entry uuid := CASE TG_TABLE_NAME WHEN 'ledger_posting' THEN to_jsonb(NEW) ->> 'entry_id' ELSE to_jsonb(NEW) ->> 'id' END;
        total numeric;
    BEGIN
        SELECT sum(amount) INTO total FROM ledger_posting WHERE entry_id = entry;
        IF total IS NULL OR total <> 0 THEN
            RAISE EXCEPTION 'ledger entry % does not sum to zero', entry USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    *(
        f"""
        CREATE CONSTRAINT TRIGGER ledger_entry_balanced AFTER INSERT ON {table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_balanced()
        """
        for table in ("ledger_journalentry", "ledger_posting")
    ),
    # 3. A posting's account has its entry's currency. 4. The cached balance follows the postings.
    """
    CREATE FUNCTION ledger_posting_currency() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT currency FROM ledger_account WHERE id = NEW.account_id)
            IS DISTINCT FROM (SELECT currency FROM ledger_journalentry WHERE id = NEW.entry_id) THEN
            RAISE EXCEPTION 'ledger posting on an account of another currency' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER ledger_posting_currency BEFORE INSERT ON ledger_posting
    FOR EACH ROW EXECUTE FUNCTION ledger_posting_currency()
    """,
    """
    CREATE FUNCTION ledger_keep_balance() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE ledger_account SET balance = balance + NEW.amount WHERE id = NEW.account_id AND owner_id IS NOT NULL;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER ledger_keep_balance AFTER INSERT ON ledger_posting
    FOR EACH ROW EXECUTE FUNCTION ledger_keep_balance()
    """,
    # A balance changes from inside the trigger above and nowhere else; what an account is, never changes.
    """
    CREATE FUNCTION ledger_account_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            IF NEW.balance <> 0 THEN
                RAISE EXCEPTION 'ledger account opens at zero' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END IF;
        IF NEW.balance IS DISTINCT FROM OLD.balance AND pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'ledger balance changes through postings only' USING ERRCODE = 'restrict_violation';
        END IF;
        IF (NEW.id, NEW.owner_id, NEW.kind, NEW.code, NEW.currency)
            IS DISTINCT FROM (OLD.id, OLD.owner_id, OLD.kind, OLD.code, OLD.currency) THEN
            RAISE EXCEPTION 'ledger account is what it is' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER ledger_account_guard BEFORE INSERT OR UPDATE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_account_guard()
    """,
]

POSTGRES_BACK = [
    *(
        f"DROP TRIGGER ledger_append_only_{when} ON {table}"
        for table in ("ledger_journalentry", "ledger_posting")
        for when in ("update", "delete", "truncate")
    ),
    "DROP TRIGGER ledger_entry_balanced ON ledger_journalentry",
    "DROP TRIGGER ledger_entry_balanced ON ledger_posting",
    "DROP TRIGGER ledger_posting_currency ON ledger_posting",
    "DROP TRIGGER ledger_keep_balance ON ledger_posting",
    "DROP TRIGGER ledger_account_guard ON ledger_account",
    "DROP FUNCTION ledger_append_only",
    "DROP FUNCTION ledger_entry_balanced",
    "DROP FUNCTION ledger_posting_currency",
    "DROP FUNCTION ledger_keep_balance",
    "DROP FUNCTION ledger_account_guard",
]

# SQLite has no deferred trigger, but it has deferred foreign keys. A row that points to a place where nothing can ever
# be, lets the transaction go on and fails its commit: an entry's row stands in ledger_unbalanced until it sums to zero.
SQLITE = [
    "CREATE TABLE ledger_never (id integer NOT NULL PRIMARY KEY CHECK (0))",
    """
    CREATE TABLE ledger_unbalanced (
        entry_id char(32) NOT NULL PRIMARY KEY,
        law integer NOT NULL DEFAULT 1 REFERENCES ledger_never (id) DEFERRABLE INITIALLY DEFERRED
    )
    """,
    # The balance trigger writes what it is about to add here and takes it away again; see ledger_account_guard.
    """
    CREATE TABLE ledger_moving (
        account_id char(32) NOT NULL PRIMARY KEY,
        amount bigint NOT NULL,
        law integer NOT NULL DEFAULT 1 REFERENCES ledger_never (id) DEFERRABLE INITIALLY DEFERRED
    )
    """,
    # 1. Append-only. INSERT OR REPLACE would delete without a delete trigger, so a key that is taken is refused as well.
    *(
        f"""
        CREATE TRIGGER ledger_append_only_{when.lower()}_{table} BEFORE {when} ON {table}
        BEGIN SELECT RAISE(ABORT, 'ledger is append-only: {when} of {table} is refused'); END
        """
        for table in ("ledger_journalentry", "ledger_posting")
        for when in ("UPDATE", "DELETE")
    ),
    """
    CREATE TRIGGER ledger_append_only_replace_ledger_journalentry BEFORE INSERT ON ledger_journalentry
    WHEN EXISTS (SELECT 1 FROM ledger_journalentry WHERE id = NEW.id OR "key" = NEW."key")
    BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: ledger_journalentry'); END
    """,
    """
    CREATE TRIGGER ledger_append_only_replace_ledger_posting BEFORE INSERT ON ledger_posting
    WHEN EXISTS (
        SELECT 1 FROM ledger_posting WHERE id = NEW.id OR (entry_id = NEW.entry_id AND account_id = NEW.account_id)
    )
    BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: ledger_posting'); END
    """,
    # 2. An entry is unbalanced from its first moment until its postings sum to zero.
    """
    CREATE TRIGGER ledger_entry_opens AFTER INSERT ON ledger_journalentry
    BEGIN INSERT INTO ledger_unbalanced (entry_id) VALUES (NEW.id); END
    """,
    """
    CREATE TRIGGER ledger_entry_balanced AFTER INSERT ON ledger_posting
    BEGIN
        INSERT OR IGNORE INTO ledger_unbalanced (entry_id) VALUES (NEW.entry_id);
        DELETE FROM ledger_unbalanced
        WHERE entry_id = NEW.entry_id AND (SELECT sum(amount) FROM ledger_posting WHERE entry_id = NEW.entry_id) = 0;
    END
    """,
    """
    CREATE TRIGGER ledger_unbalanced_stays BEFORE DELETE ON ledger_unbalanced
    WHEN coalesce((SELECT sum(amount) FROM ledger_posting WHERE entry_id = OLD.entry_id), 1) <> 0
    BEGIN SELECT RAISE(ABORT, 'ledger entry does not sum to zero'); END
    """,
    """
    CREATE TRIGGER ledger_unbalanced_is BEFORE UPDATE ON ledger_unbalanced
    BEGIN SELECT RAISE(ABORT, 'ledger entry does not sum to zero'); END
    """,
    # 3. A posting's account has its entry's currency.
    """
    CREATE TRIGGER ledger_posting_currency BEFORE INSERT ON ledger_posting
    WHEN (SELECT currency FROM ledger_account WHERE id = NEW.account_id)
        IS NOT (SELECT currency FROM ledger_journalentry WHERE id = NEW.entry_id)
    BEGIN SELECT RAISE(ABORT, 'ledger posting on an account of another currency'); END
    """,
    # 4. The cached balance follows the postings, and changes in no other way; what an account is, never changes.
    """
    CREATE TRIGGER ledger_keep_balance AFTER INSERT ON ledger_posting
    WHEN (SELECT owner_id FROM ledger_account WHERE id = NEW.account_id) IS NOT NULL
    BEGIN
        -- The check constraint says so too, but an INSERT OR IGNORE would silence it in here.
        SELECT RAISE(ABORT, 'CHECK constraint failed: ledger_no_user_account_below_zero')
        FROM ledger_account WHERE id = NEW.account_id AND balance + NEW.amount < 0;
        INSERT INTO ledger_moving (account_id, amount) VALUES (NEW.account_id, NEW.amount);
        UPDATE ledger_account SET balance = balance + NEW.amount WHERE id = NEW.account_id;
        DELETE FROM ledger_moving WHERE account_id = NEW.account_id;
    END
    """,
    """
    CREATE TRIGGER ledger_account_guard BEFORE UPDATE ON ledger_account
    WHEN NEW.balance IS NOT OLD.balance AND NOT EXISTS (
        SELECT 1 FROM ledger_moving WHERE account_id = OLD.id AND OLD.balance + amount = NEW.balance
    )
    BEGIN SELECT RAISE(ABORT, 'ledger balance changes through postings only'); END
    """,
    """
    CREATE TRIGGER ledger_account_same BEFORE UPDATE ON ledger_account
    WHEN NEW.id IS NOT OLD.id OR NEW.owner_id IS NOT OLD.owner_id OR NEW.kind IS NOT OLD.kind
        OR NEW.code IS NOT OLD.code OR NEW.currency IS NOT OLD.currency
    BEGIN SELECT RAISE(ABORT, 'ledger account is what it is'); END
    """,
    """
    CREATE TRIGGER ledger_account_opens BEFORE INSERT ON ledger_account WHEN NEW.balance <> 0
    BEGIN SELECT RAISE(ABORT, 'ledger account opens at zero'); END
    """,
    """
    CREATE TRIGGER ledger_account_replace BEFORE INSERT ON ledger_account
    WHEN EXISTS (SELECT 1 FROM ledger_account WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: ledger_account.id'); END
    """,
]

SQLITE_TRIGGERS = [
    "ledger_append_only_update_ledger_journalentry",
    "ledger_append_only_delete_ledger_journalentry",
    "ledger_append_only_update_ledger_posting",
    "ledger_append_only_delete_ledger_posting",
    "ledger_append_only_replace_ledger_journalentry",
    "ledger_append_only_replace_ledger_posting",
    "ledger_entry_opens",
    "ledger_entry_balanced",
    "ledger_unbalanced_stays",
    "ledger_unbalanced_is",
    "ledger_posting_currency",
    "ledger_keep_balance",
    "ledger_account_guard",
    "ledger_account_same",
    "ledger_account_opens",
    "ledger_account_replace",
]
SQLITE_BACK = [
    *(f"DROP TRIGGER {name}" for name in SQLITE_TRIGGERS),
    "DROP TABLE ledger_moving",
    "DROP TABLE ledger_unbalanced",
    "DROP TABLE ledger_never",
]


def _run(schema_editor, postgres, sqlite):
    for statement in {"postgresql": postgres, "sqlite": sqlite}[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def lay(apps, schema_editor):
    _run(schema_editor, POSTGRES, SQLITE)


def lift(apps, schema_editor):
    _run(schema_editor, POSTGRES_BACK, SQLITE_BACK)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(lay, lift)]

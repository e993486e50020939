-- The roles of WibeStore's database, and what each may do (docs/decisions/0010). A superuser runs it in that database before the
-- migrations, which need the owner, and after them, for what they have made. It can be run again at any time, on a database of
-- before too: all that was somebody else's becomes the owner's.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN;

-- Neither has a password. wibestore_owner runs the migrations; wibestore_app is the pages, the sockets and the worker.
SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['wibestore_owner', 'wibestore_app']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE wibestore_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD NULL;
ALTER ROLE wibestore_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD NULL;
ALTER ROLE CURRENT_USER PASSWORD NULL;

SELECT format('ALTER DATABASE %I OWNER TO wibestore_owner', current_database()) \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC, wibestore_app', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO wibestore_app', current_database()) \gexec
ALTER SCHEMA public OWNER TO wibestore_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC, wibestore_app;
GRANT USAGE ON SCHEMA public TO wibestore_app;

-- Tables, then functions. What belongs to an extension stays with it, and the sequence of a column goes with its table.
SELECT format(
    'ALTER %s public.%I OWNER TO wibestore_owner',
    CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, relname
)
FROM pg_class AS found
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S') AND relowner <> 'wibestore_owner'::regrole
AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = found.oid AND deptype IN ('e', 'a', 'i')
)
\gexec
SELECT format('ALTER ROUTINE %s OWNER TO wibestore_owner', oid::regprocedure)
FROM pg_proc AS found
WHERE pronamespace = 'public'::regnamespace AND proowner <> 'wibestore_owner'::regrole
AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = found.oid AND deptype = 'e')
\gexec

-- The site reads and writes rows. It owns nothing, so it cannot drop or switch off a trigger, and it cannot TRUNCATE.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, wibestore_app;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, wibestore_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO wibestore_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO wibestore_app;
-- What later migrations make, until this file runs again.
ALTER DEFAULT PRIVILEGES FOR ROLE wibestore_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO wibestore_app;
ALTER DEFAULT PRIVILEGES FOR ROLE wibestore_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO wibestore_app;

-- Less than that, where the site never does it. Triggers keep the same laws; these do not depend on any.
CREATE TEMPORARY TABLE less (name text, taken text, given text) ON COMMIT DROP;
INSERT INTO less VALUES
    ('ledger_journalentry', 'UPDATE, DELETE', NULL),
    ('ledger_posting', 'UPDATE, DELETE', NULL),
    -- A posting's trigger moves the balance in the name of whoever posts; a lock on the row needs the right to a column as well.
    ('ledger_account', 'UPDATE, DELETE', 'UPDATE (balance)'),
    -- The clean-up deletes what is too old, under the law of its trigger.
    ('accounts_securityevent', 'UPDATE', NULL),
    ('django_migrations', 'INSERT, UPDATE, DELETE', NULL);
SELECT format('REVOKE %s ON public.%I FROM wibestore_app', taken, name) FROM less
WHERE to_regclass('public.' || name) IS NOT NULL \gexec
SELECT format('GRANT %s ON public.%I TO wibestore_app', given, name) FROM less
WHERE given IS NOT NULL AND to_regclass('public.' || name) IS NOT NULL \gexec

COMMIT;

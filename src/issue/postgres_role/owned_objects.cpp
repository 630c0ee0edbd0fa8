// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/owned_objects.h"

namespace writ::issue {

namespace {

// LIMIT: a server with its usual settings has 6400 locks, and an object takes up to ten (a table with its toast table and indexes).
constexpr int portion = 200;
constexpr int rounds_max = 10'000;

std::string oid_of(std::string const& role) { return "(SELECT oid FROM pg_roles WHERE rolname = " + quote_literal(role) + ")"; }

// SPEC: PostgreSQL 15, ALTER TABLE: the new owner must have CREATE on the table's schema, and who alters it must be a member of that role.
std::string receiver_of(std::string const& owner)
{
    auto const of = oid_of(owner);
    return "CASE WHEN pg_has_role(" + of + ", 'MEMBER') AND has_schema_privilege(" + of + ", relnamespace, 'CREATE') THEN " + quote_literal(owner) + " ELSE current_user::text END";
}

// The statements for the next tables, in their order; in a second column the table, where somebody else gets it. Names come quoted by the server.
std::string hand_over_query(std::string const& role, std::string const& owner)
{
    return "WITH kept AS (SELECT oid, oid::regclass::text AS name, relacl, relowner, " + receiver_of(owner) + " AS receiver FROM pg_class WHERE relowner = " + oid_of(role)
        + R"( AND relkind = 'r' AND relpersistence <> 't' AND NOT relispartition AND reloftype = 0
              AND NOT EXISTS (SELECT 1 FROM pg_inherits WHERE pg_class.oid IN (inhrelid, inhparent)) ORDER BY oid LIMIT )"
        + std::to_string(portion) + R"(),
        grantees AS (SELECT 'TABLE ' || name AS target, grantee FROM kept CROSS JOIN aclexplode(relacl) WHERE grantee <> relowner
            UNION SELECT 'TABLE ' || name, grantee FROM kept JOIN pg_attribute ON attrelid = kept.oid CROSS JOIN aclexplode(attacl) WHERE grantee <> relowner
            UNION SELECT 'SEQUENCE ' || sequence.oid::regclass::text, grantee FROM kept
                JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = kept.oid AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
                JOIN pg_class AS sequence ON sequence.oid = objid AND sequence.relkind = 'S' CROSS JOIN aclexplode(sequence.relacl) WHERE grantee <> sequence.relowner)
        SELECT statement, coalesce(elsewhere, '') FROM (
            SELECT 1 AS step, NULL AS elsewhere, format('DROP TRIGGER %I ON %s CASCADE', tgname, name) AS statement FROM pg_trigger JOIN kept ON tgrelid = kept.oid WHERE NOT tgisinternal
            UNION ALL SELECT 1, NULL, format('DROP RULE %I ON %s CASCADE', rulename, name) FROM pg_rewrite JOIN kept ON ev_class = kept.oid
            UNION ALL SELECT 1, NULL, format('DROP POLICY %I ON %s', polname, name) FROM pg_policy JOIN kept ON polrelid = kept.oid
            UNION ALL SELECT 1, NULL, format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', name) FROM kept
            UNION ALL SELECT 1, NULL, format('DROP STATISTICS %I.%I', nspname, stxname) FROM pg_statistic_ext JOIN pg_namespace ON pg_namespace.oid = stxnamespace JOIN kept ON stxrelid = kept.oid
            UNION ALL SELECT 2, NULL, format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', name, conname) FROM pg_constraint JOIN kept ON conrelid = kept.oid
                WHERE contype IN ('c', 'x')
            UNION ALL SELECT 2, NULL, format('DROP INDEX %s CASCADE', indexrelid::regclass) FROM pg_index JOIN kept ON indrelid = kept.oid
                WHERE (indexprs IS NOT NULL OR indpred IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
            UNION ALL SELECT 3, NULL, format('ALTER TABLE %s ALTER COLUMN %I DROP %s', name, attname, CASE attgenerated WHEN '' THEN 'DEFAULT' ELSE 'EXPRESSION' END)
                FROM pg_attribute JOIN kept ON attrelid = kept.oid WHERE atthasdef AND NOT attisdropped
            UNION ALL SELECT 4, NULL, format('REVOKE ALL ON %s FROM %s CASCADE', target, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
                FROM grantees
            UNION ALL SELECT 5, CASE receiver WHEN )"
        + quote_literal(owner) + " THEN NULL ELSE name END, format('ALTER TABLE %s OWNER TO %I', name, receiver) FROM kept) AS statements ORDER BY step";
}

// What belongs to something else (a column's sequence, a range's functions, an extension's parts) goes with that.
std::string drop_query(std::string const& role)
{
    auto const owner = oid_of(role);
    auto const is_part = [](std::string const& of) {
        return " AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = '" + of + "'::regclass AND objid = " + of + ".oid AND objsubid = 0 AND deptype IN ('i', 'e'))";
    };
    return R"(SELECT format('DROP %s IF EXISTS %s CASCADE', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
            WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, oid::regclass) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't' AND relowner = )"
        + owner + is_part("pg_class") + " UNION ALL SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc WHERE proowner = " + owner
        + is_part("pg_proc") + " UNION ALL SELECT format('DROP COLLATION IF EXISTS %I.%I CASCADE', nspname, collname) FROM pg_collation JOIN pg_namespace ON pg_namespace.oid = collnamespace"
          " WHERE collowner = " + owner + is_part("pg_collation") + " UNION ALL SELECT format('DROP TYPE IF EXISTS %s CASCADE', oid::regtype) FROM pg_type WHERE typowner = " + owner + is_part("pg_type")
        + " UNION ALL SELECT format('SELECT lo_unlink(%s)', oid) FROM pg_largeobject_metadata WHERE lomowner = " + owner + " LIMIT " + std::to_string(portion);
}

// What we granted, right by right. DROP OWNED revokes all rights on all columns at once, which fails where we hold none that a column could have (a sequence's
// USAGE, or DELETE alone).
std::string revoke_query(std::string const& role)
{
    return "SELECT format('REVOKE %s ON %s %s FROM %I', privilege_type, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, pg_class.oid::regclass,"
           " pg_get_userbyid(grantee)) FROM pg_class CROSS JOIN aclexplode(relacl) WHERE grantor = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND grantee = "
        + oid_of(role);
}

std::string joined(std::vector<PostgresConnection::Row> const& rows)
{
    std::string statements;
    for (auto const& row : rows)
        statements += row.front() + "; ";
    return statements;
}

} // namespace

net::Task<Result<std::vector<std::string>>> hand_over_tables(PostgresConnection& connection, std::string role, std::string owner)
{
    auto const query = hand_over_query(role, owner);
    std::vector<std::string> elsewhere;
    for (int round = 0; round < rounds_max; ++round) {
        auto listed = co_await connection.query(query);
        auto const rows = CO_TRY(listed);
        if (rows.empty())
            co_return elsewhere;
        auto const handed = co_await connection.query(joined(rows));
        if (handed.is_error())
            co_return Error(handed.error()).in("tables to `" + owner + "`");
        for (auto const& row : rows) {
            if (!row.at(1).empty())
                elsewhere.push_back(row.at(1));
        }
    }
    co_return unavailable("role `" + role + "` has too many tables");
}

net::Task<Result<>> drop_owned(PostgresConnection& connection, std::string role)
{
    auto const query = drop_query(role);
    for (int round = 0; round < rounds_max; ++round) {
        auto listed = co_await connection.query(query);
        auto const rows = CO_TRY(listed);
        if (rows.empty())
            break;
        auto const dropped = co_await connection.query(joined(rows));
        if (dropped.is_error())
            break; // what does not go by itself may go with all the rest
    }
    auto listed = co_await connection.query(revoke_query(role));
    auto const granted = CO_TRY(listed);
    auto const dropped = co_await connection.query(joined(granted) + "DROP OWNED BY " + quote_identifier(role) + " CASCADE");
    if (dropped.is_error())
        co_return dropped.error();
    co_return Result<>();
}

} // namespace writ::issue

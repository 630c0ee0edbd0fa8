// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/grant_sql.h"

#include "issue/postgres_role/connection.h"

#include <algorithm>

namespace writ::issue {

namespace {

std::string list_of(std::vector<std::string> const& names)
{
    std::string list;
    for (auto const& name : names)
        list += (list.empty() ? "" : ", ") + quote_identifier(name);
    return list;
}

std::string literals(std::vector<std::string> const& names)
{
    std::string list;
    for (auto const& name : names)
        list += (list.empty() ? "" : ", ") + quote_literal(name);
    return list;
}

std::string qualified(TableGrant const& grant) { return quote_identifier(grant.schema) + "." + quote_identifier(grant.table); }

// `SELECT ("id", "site"), DELETE`; nothing if CREATE is all.
std::string privilege_list(std::set<std::string> const& privileges, std::vector<std::string> const& columns)
{
    std::string list;
    for (auto const& privilege : privileges) {
        if (privilege == "CREATE")
            continue;
        list += (list.empty() ? "" : ", ") + privilege;
        if (!columns.empty() && privilege != "DELETE")
            list += " (" + list_of(columns) + ")";
    }
    return list;
}

std::string value_for(std::string const& value, Recipient const& recipient)
{
    if (value == "{run}")
        return quote_literal(recipient.run);
    if (value == "{workload}")
        return quote_literal(recipient.workload);
    return quote_literal(value == "{purpose}" ? recipient.purpose : value);
}

std::string condition_sql(RowCondition const& condition, Recipient const& recipient)
{
    auto const column = quote_identifier(condition.column);
    std::string sql;
    auto const add = [&sql](std::string const& part) { sql += (sql.empty() ? "" : " AND ") + part; };
    std::string values;
    for (auto const& value : condition.any_of)
        values += (values.empty() ? "" : ", ") + value_for(value, recipient);
    if (!values.empty())
        add(column + " IN (" + values + ")");
    if (condition.from)
        add(column + " >= " + value_for(*condition.from, recipient));
    if (condition.before)
        add(column + " < " + value_for(*condition.before, recipient));
    return sql;
}

// A view of the run's own, in a schema of its own. SECURITY: a barrier, so that no function of a query sees a row before the conditions have; what is written
// through it has to hold to them as well.
std::string filtered_statements(TableGrant const& grant, RoleGrants const& grants, std::string const& role, Recipient const& recipient)
{
    auto const view = quote_identifier(role) + "." + quote_identifier(grant.table);
    std::string where;
    for (auto const& condition : grant.rows)
        where += (where.empty() ? " WHERE " : " AND ") + condition_sql(condition, recipient);
    auto const columns = grant.columns.empty() ? std::string("*") : list_of(grant.columns);
    auto const is_written = grants.privileges.contains("INSERT") || grants.privileges.contains("UPDATE");
    auto sql = "; CREATE VIEW " + view + " WITH (security_barrier) AS SELECT " + columns + " FROM " + qualified(grant) + where;
    if (is_written)
        sql += " WITH CASCADED CHECK OPTION";
    if (auto const list = privilege_list(grants.privileges, {}); !list.empty())
        sql += "; GRANT " + list + " ON " + view + " TO " + quote_identifier(role);
    return sql;
}

std::string plain_statements(TableGrant const& grant, RoleGrants const& grants, std::string const& role)
{
    auto const to = " TO " + quote_identifier(role);
    auto sql = "; GRANT USAGE ON SCHEMA " + quote_identifier(grant.schema) + to;
    auto const list = privilege_list(grants.privileges, grant.columns);
    if (list.empty())
        return sql;
    if (grant.table == every_table)
        return sql + "; GRANT " + list + " ON ALL TABLES IN SCHEMA " + quote_identifier(grant.schema) + to;
    return sql + "; GRANT " + list + " ON " + qualified(grant) + to;
}

// The run's schema, which comes first: a job reads the part it may of a table by the table's name.
std::string own_schema(RoleGrants const& grants, std::string const& role, std::string const& database)
{
    auto const name = quote_identifier(role);
    auto path = name;
    std::set<std::string> schemas;
    for (auto const& grant : grants.tables) {
        if (schemas.insert(grant.schema).second)
            path += ", " + quote_identifier(grant.schema);
    }
    return "; CREATE SCHEMA " + name + "; GRANT USAGE ON SCHEMA " + name + " TO " + name + "; ALTER ROLE " + name + " IN DATABASE " + quote_identifier(database)
        + " SET search_path TO " + path;
}

std::string create_statements(RoleGrants const& grants, std::string const& role)
{
    std::string sql;
    std::set<std::string> schemas;
    for (auto const& grant : grants.tables) {
        if (schemas.insert(grant.schema).second)
            sql += "; GRANT USAGE, CREATE ON SCHEMA " + quote_identifier(grant.schema) + " TO " + quote_identifier(role);
    }
    return sql;
}

// Tables that this one is a part of, and those that are parts of it, at any depth: who may read such a one reads rows of this one by another name.
std::string relatives_of(std::string const& name)
{
    return "WITH RECURSIVE above(relative) AS (SELECT inhparent FROM pg_inherits WHERE inhrelid = " + name
        + "::regclass UNION SELECT inhparent FROM pg_inherits JOIN above ON inhrelid = relative), below(relative) AS (SELECT inhrelid FROM pg_inherits WHERE inhparent = " + name
        + "::regclass UNION SELECT inhrelid FROM pg_inherits JOIN below ON inhparent = relative) SELECT relative FROM above UNION SELECT relative FROM below";
}

// What lets somebody see a row, change it, or learn of it by a key or a trigger.
constexpr std::string_view column_rights = "'SELECT, INSERT, UPDATE, REFERENCES'";
constexpr std::string_view row_rights = "'DELETE, TRUNCATE, TRIGGER'";

} // namespace

std::string grant_statements(RoleGrants const& grants, std::string const& role, std::string const& database, Recipient const& recipient)
{
    std::string sql = "; GRANT CONNECT ON DATABASE " + quote_identifier(database) + " TO " + quote_identifier(role);
    if (std::any_of(grants.tables.begin(), grants.tables.end(), [](TableGrant const& grant) { return grant.is_filtered(); }))
        sql += own_schema(grants, role, database);
    for (auto const& grant : grants.tables)
        sql += grant.is_filtered() ? filtered_statements(grant, grants, role, recipient) : plain_statements(grant, grants, role);
    if (grants.privileges.contains("CREATE"))
        sql += create_statements(grants, role);
    return sql;
}

std::string exposure_query(RoleGrants const& grants, std::string const& role)
{
    std::string query = "SELECT ''::text WHERE false";
    for (auto const& grant : grants.tables) {
        if (grant.columns.empty() && !grant.is_filtered())
            continue;
        auto const name = quote_literal(qualified(grant));
        auto const of = "(" + quote_literal(role) + ", " + name + ", ";
        auto const columns = std::string(column_rights) + ")", rows = std::string(row_rights) + ")";
        query += " UNION ALL SELECT " + name + " WHERE has_table_privilege" + of + "'TRIGGER') OR has_table_privilege" + of + columns;
        if (grant.is_filtered())
            query += " OR has_any_column_privilege" + of + columns;
        else
            query += " OR EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = " + name + "::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL (ARRAY["
                + literals(grant.columns) + "]::name[]) AND has_column_privilege(" + quote_literal(role) + ", attrelid, attnum, " + columns + ")";
        if (grant.is_filtered() || !grants.privileges.contains("DELETE"))
            query += " OR has_table_privilege" + of + "'DELETE, TRUNCATE')";
        query += " UNION ALL SELECT relative::regclass::text FROM (" + relatives_of(name) + ") AS relatives WHERE has_any_column_privilege(" + quote_literal(role) + ", relative, " + columns
            + " OR has_table_privilege(" + quote_literal(role) + ", relative, " + rows;
    }
    return query;
}

} // namespace writ::issue

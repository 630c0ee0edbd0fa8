// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/template_role.h"

#include "issue/postgres_role/connection.h"

namespace writ::issue {

namespace {

// What is granted, on what, to whom; names come quoted.
constexpr std::string_view granted = R"(
    SELECT privilege_type AS privilege, CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || pg_class.oid::regclass::text AS target, grantee
      FROM pg_class CROSS JOIN aclexplode(relacl)
    UNION ALL
    SELECT privilege_type || ' (' || quote_ident(attname) || ')', 'TABLE ' || attrelid::regclass::text, grantee
      FROM pg_attribute CROSS JOIN aclexplode(attacl) WHERE NOT attisdropped
    UNION ALL
    SELECT privilege_type, 'SCHEMA ' || quote_ident(nspname), grantee FROM pg_namespace CROSS JOIN aclexplode(nspacl)
    UNION ALL
    SELECT privilege_type, 'ROUTINE ' || pg_proc.oid::regprocedure::text, grantee FROM pg_proc CROSS JOIN aclexplode(proacl)
    UNION ALL
    SELECT privilege_type, 'DATABASE ' || quote_ident(datname), grantee FROM pg_database CROSS JOIN aclexplode(datacl) WHERE datname = current_database()
)";

} // namespace

std::string template_query(std::string const& template_role, std::string const& role)
{
    return "SELECT 'GRANT ' || privilege || ' ON ' || target || ' TO ' || quote_ident(" + quote_literal(role) + ") FROM (" + std::string(granted)
        + ") AS granted WHERE privilege NOT LIKE 'TRIGGER%' AND grantee = (SELECT oid FROM pg_roles WHERE rolname = " + quote_literal(template_role) + ") LIMIT "
        + std::to_string(template_grants_max + 1);
}

} // namespace writ::issue

// SPDX-License-Identifier: Apache-2.0
//
// A role that a database's owner keeps as a pattern: what was granted to it is granted to the run's role, as it stands at that moment. SECURITY: copied, because a
// member could SET ROLE to it, and leave behind what is then the template's.
#pragma once

#include <cstddef>
#include <string>

namespace writ::issue {

// LIMIT: a template that was granted more is refused, not copied in part.
inline constexpr std::size_t template_grants_max = 5000;

// A query whose rows are GRANT statements for `role`: of this database, its schemas, tables, columns, sequences and routines. No row: there is no such template, or
// it was granted nothing; at most one more than the limit. Not copied: grant options, its memberships, TRIGGER (triggers have no owner that ends with the run).
std::string template_query(std::string const& template_role, std::string const& role);

} // namespace writ::issue

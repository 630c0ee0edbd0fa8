// SPDX-License-Identifier: Apache-2.0
//
// Reads where a Dataset lies in a database, in the words of postgres_role: `schema`, `table`, `columns` and `rows`; or `tables`, a list of such; or `template`; and
// `privileges`.
#pragma once

#include "authority/declaration.h"
#include "authority/field_reader.h"
#include "base/json.h"

namespace writ::authority {

// Empty: in no table.
JsonObject read_relation(FieldReader&, YamlNode const&, std::vector<Problem>&);

// `public.biopsies`, for people and records; empty for a template.
std::string tables_of(JsonObject const& relation);

} // namespace writ::authority

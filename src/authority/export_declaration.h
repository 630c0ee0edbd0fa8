// SPDX-License-Identifier: Apache-2.0
//
// The fields of `kind: AuditExport`. docs/formats/audit-export.md has them.
#pragma once

#include "audit/export/destination.h"
#include "authority/field_reader.h"

namespace writ::authority {

// All but the name. The caller finishes the reader.
audit::ExportSpecification read_export(FieldReader&, YamlNode const&, std::vector<Problem>&);

// Every export that is declared.
std::vector<audit::ExportSpecification> exports_of(Declarations const&);

} // namespace writ::authority

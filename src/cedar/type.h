// SPDX-License-Identifier: Apache-2.0
//
// Types as the validator reckons with them: when one may stand for another, what two have in common.
// Strict: two types agree only if they are the same but for what is known of a bool. Permissive: unions of entity types and wider records are allowed.
#pragma once

#include "cedar/schema.h"

namespace writ::cedar {

enum class ValidationMode : std::uint8_t { strict, permissive };

TypePointer make_type(Type::Kind);
TypePointer set_type(TypePointer element); // nullptr: of anything
TypePointer entity_type(std::string name);
TypePointer any_entity_type();
TypePointer open_record_type(); // any record

bool is_bool(Type const&);
bool is_subtype(Type const&, Type const& of, ValidationMode);
// The least type both are; nullptr if there is none.
TypePointer least_upper_bound(TypePointer const&, TypePointer const&, ValidationMode);
// Whether no value is of both.
bool are_disjoint(Type const&, Type const&);
bool operator==(Type const&, Type const&);

// Whether a value is of a type; of entities only their type is looked at.
bool has_type(Value const&, Type const&);

} // namespace writ::cedar

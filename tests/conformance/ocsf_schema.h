// SPDX-License-Identifier: Apache-2.0
//
// The OCSF schema compiled from its sources: classes and objects with what they extend and include, attributes as the dictionary
// describes them. Says what is wrong with an event, as the schema's own server does: unknown, missing and deprecated attributes, types,
// enumerations, their siblings, constraints.
#pragma once

#include "base/durable_file.h"
#include "base/json.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace writ::conformance {

struct OcsfAttribute {
    std::string type; // `string_t`, or an object's name
    bool is_array = false;
    bool is_required = false;
    bool is_deprecated = false;
    std::string profile; // only in events that name it; empty: always
    std::string sibling;
    std::map<std::string, std::string> values; // of an enumeration: captions; empty: anything
};

struct OcsfType {
    std::string name, caption, category;
    int uid = 0;
    std::map<std::string, OcsfAttribute> attributes;
    std::vector<std::vector<std::string>> at_least_one, just_one;
};

// Not thread-safe.
class OcsfSchema {
public:
    // Of a folder with dictionary.json, categories.json, events/, objects/ and profiles/.
    static Result<OcsfSchema> load(Path const& folder);
    // What was wrong with single files and attributes.
    [[nodiscard]] std::vector<std::string> const& problems() const { return problems_; }
    [[nodiscard]] std::map<std::string, OcsfType> const& classes() const { return classes_; }
    [[nodiscard]] std::map<std::string, OcsfType> const& objects() const { return objects_; }

    // Empty: it is valid.
    [[nodiscard]] std::vector<std::string> validate(JsonObject const& event) const;

private:
    struct DataType {
        std::string base, pattern;
        std::size_t length_max = 0;
        std::optional<std::pair<std::int64_t, std::int64_t>> range;
    };
    struct Validation;

    using Sources = std::map<std::string, JsonObject>;
    Sources read_sources(Path const& folder);
    void read_dictionary(JsonObject const&);
    JsonObject included(JsonObject const& attributes);
    JsonObject inherited(Sources const&, JsonObject const& source, std::string_view member);
    OcsfType compile(Sources const&, JsonObject const& source);
    OcsfAttribute attribute_of(std::string const& owner, std::string const& name, JsonObject const& source);

    void check_type(Validation&, OcsfType const&, JsonObject const&, std::string const& where) const;
    void check_constraints(Validation&, OcsfType const&, JsonObject const&, std::string const& where) const;
    void check_attribute(Validation&, OcsfAttribute const&, JsonValue const&, std::string const& where) const;
    void check_value(Validation&, OcsfAttribute const&, JsonValue const&, std::string const& where) const;
    void check_data_type(Validation&, std::string const& type, JsonValue const&, std::string const& where) const;
    void check_sibling(Validation&, OcsfAttribute const&, JsonObject const& owner, JsonValue const&, std::string const& where) const;
    void check_event(Validation&, OcsfType const&, JsonObject const&) const;

    Path folder_;
    JsonObject dictionary_;
    std::map<std::string, JsonObject> profiles_; // by path
    std::map<std::string, DataType> types_;
    std::map<std::string, std::pair<int, std::string>> categories_;
    std::map<std::string, OcsfType> classes_, objects_;
    std::vector<std::string> problems_;
};

} // namespace writ::conformance

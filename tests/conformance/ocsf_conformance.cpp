// SPDX-License-Identifier: Apache-2.0
//
// ocsf_conformance DIR: the sources of the OCSF schema. Each file is valid under the schema's own metaschema; every class and object
// compiles; events that lie beside them are valid; and so is what we make of records of every type, while a twin that is altered in one
// place is not.
#include "export_story.h"
#include "json_schema.h"
#include "ocsf_schema.h"
#include "tally.h"

using namespace writ;
using namespace writ::conformance;

namespace {

constexpr std::string_view metaschema_base = "https://schema.ocsf.io/";

class Runner {
public:
    explicit Runner(Path folder)
        : folder_(std::move(folder))
    {
    }

    int run()
    {
        check_sources();
        auto schema = OcsfSchema::load(folder_);
        if (schema.is_error()) {
            tally_.expect(false, schema.error().message);
            return tally_.print();
        }
        check_compiled(*schema);
        check_events_beside(*schema);
        check_own_events(*schema);
        return tally_.print();
    }

private:
    // ---- the schema's files under its metaschema

    void check_sources()
    {
        std::vector<std::string> ids;
        for (auto const& file : json_files(folder_ / "metaschema")) {
            auto const schema = read_json(file);
            auto id = schema.is_ok() ? metaschemas_.add(*schema) : Result<std::string>(schema.error());
            if (id.is_ok())
                ids.push_back(*id);
            else
                tally_.expect(false, id.error().message);
        }
        if (ids.empty())
            return tally_.skip("no metaschema here");
        for (auto const& id : ids) {
            auto const problems = metaschemas_.check(id);
            tally_.expect(problems.empty(), id + (problems.empty() ? "" : problems.front()));
        }
        for (auto const& [place, metaschema] : { std::pair("events", "event"), std::pair("objects", "object"), std::pair("profiles", "profile"),
                 std::pair("dictionary.json", "dictionary"), std::pair("categories.json", "categories") })
            check_sources_of(folder_ / place, std::string(metaschema_base) + metaschema + ".schema.json");
    }

    void check_sources_of(Path const& place, std::string const& metaschema)
    {
        auto files = json_files(place);
        if (place.extension() == ".json")
            files.push_back(place);
        for (auto const& file : files) {
            auto const source = read_json(file);
            auto const name = file.lexically_relative(folder_).string();
            if (source.is_error()) {
                tally_.expect(false, source.error().message);
                continue;
            }
            auto const errors = metaschemas_.validate(metaschema, *source);
            tally_.expect(errors.empty(), name + (errors.empty() ? "" : ": " + errors.front()));
        }
    }

    // ---- what it compiles to

    void check_compiled(OcsfSchema const& schema)
    {
        for (auto const& problem : schema.problems())
            tally_.expect(false, problem);
        for (auto const* types : { &schema.classes(), &schema.objects() })
            for (auto const& [name, type] : *types)
                tally_.expect(std::ranges::all_of(type.attributes, [](auto const& attribute) { return !attribute.second.type.empty(); }),
                    name + ": an attribute without a type");
    }

    // ---- events

    void check_events_beside(OcsfSchema const& schema)
    {
        std::size_t found = 0;
        for (auto const& file : json_files(folder_)) {
            auto const name = file.lexically_relative(folder_).string();
            auto const document = read_json(file);
            if (document.is_error() || !document->contains("class_uid") || !document->contains("metadata"))
                continue;
            ++found;
            auto const errors = schema.validate(*document);
            tally_.expect(errors.empty(), name + (errors.empty() ? "" : ": " + errors.front()));
        }
        if (found == 0)
            tally_.skip("example events: none here");
    }

    void check_own_events(OcsfSchema const& schema)
    {
        std::set<std::int64_t> classes;
        for (auto const& exported : export_story()) {
            auto const name = "our event of record " + std::to_string(exported.sequence) + " (" + std::string(to_string(exported.record.type)) + ")";
            auto const event = parse_json_object(audit::to_event(audit::EventFormat::ocsf, exported), corpus_limits);
            if (event.is_error()) {
                tally_.expect(false, name + ": " + event.error().message);
                continue;
            }
            classes.insert(event->at("class_uid").as_int64());
            auto const errors = schema.validate(*event);
            for (auto const& error : errors)
                tally_.expect(false, name + ": " + error);
            tally_.expect(errors.empty(), name);
            check_twins(schema, *event, name);
        }
        tally_.expect(classes == std::set<std::int64_t> { 3002, 3003, 3004, 6003 }, "our events are of four classes");
    }

    void check_twins(OcsfSchema const& schema, JsonObject const& event, std::string const& name)
    {
        for (auto const* required : { "activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid" }) {
            auto twin = event;
            twin.erase(required);
            expect_refused(schema, twin, name, std::string("without ") + required);
        }
        auto unknown = event, number = event, kind = event, status = event, product = event, deep = event;
        unknown.emplace("unheard", 1);
        expect_refused(schema, unknown, name, "with an unknown attribute");
        number["time"] = "2026-01-01T00:00:00Z";
        expect_refused(schema, number, name, "with a time in words");
        kind["type_uid"] = kind["type_uid"].as_int64() + 1;
        expect_refused(schema, kind, name, "with another type");
        status["status_id"] = 42;
        expect_refused(schema, status, name, "with a status that is none");
        product["metadata"].as_object().erase("product");
        expect_refused(schema, product, name, "without a product");
        deep["actor"].as_object()["user"].as_object()["type_id"] = 77;
        expect_refused(schema, deep, name, "with a user of no type");
    }

    void expect_refused(OcsfSchema const& schema, JsonObject const& twin, std::string const& name, std::string const& how)
    {
        tally_.expect(!schema.validate(twin).empty(), name + " is valid " + how);
    }

    Path folder_;
    SchemaSet metaschemas_ { false }; // the schema's own links are not all URIs
    Tally tally_;
};

} // namespace

int main(int count, char** arguments)
{
    if (count != 2)
        return 2;
    return Runner(arguments[1]).run();
}

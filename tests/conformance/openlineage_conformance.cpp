// SPDX-License-Identifier: Apache-2.0
//
// openlineage_conformance DIR: the JSON Schemas of OpenLineage (spec/), what its authors give as instances of facets (spec/tests/), what
// its integrations are expected to emit (integration/), and the run events that we make of records. Each must be valid, and a twin that
// is altered in one place must not be. Expected events are what must be in an event, not all of it: the members that every event has are
// filled in first. Those with placeholders (`${json-unit…}`, `{{ any(result) }}`) are patterns, skipped by rule and counted.
#include "export_story.h"
#include "json_schema.h"
#include "tally.h"

using namespace writ;
using namespace writ::conformance;

namespace {

constexpr std::string_view event_schema_file = "spec/OpenLineage.json";
constexpr std::string_view some_uuid = "0176a8c2-fe01-7439-87e6-56a1a1b4029f";
constexpr std::string_view some_uri = "https://example.com/producer";

Result<JsonValue> read_value(Path const& file)
{
    auto const bytes = TRY(read_file(file));
    return parse_json(as_text(bytes), corpus_limits).in(file.string());
}

class Runner {
public:
    explicit Runner(Path folder)
        : folder_(std::move(folder))
    {
    }

    int run()
    {
        load_schemas();
        check_schemas();
        check_instances();
        check_expected_events();
        check_own_events();
        return tally_.print();
    }

private:
    void load_schemas()
    {
        for (auto const& file : json_files(folder_ / "spec")) {
            auto const path = file.lexically_relative(folder_).string();
            if (path.starts_with("spec/tests/") || file.filename() == "registry.json")
                continue;
            add_schema(file, path);
        }
        own_facets_ = add_schema(Path(WRIT_TREE) / "docs/formats/openlineage-facet.json", "docs/formats/openlineage-facet.json");
    }

    std::string add_schema(Path const& file, std::string const& path)
    {
        auto schema = read_json(file);
        auto id = schema.is_ok() ? schemas_.add(*schema) : Result<std::string>(schema.error());
        if (id.is_error()) {
            tally_.expect(false, path + ": " + id.error().message);
            return "";
        }
        by_path_.emplace(path, *id);
        // A facet's schema names under its root's properties where it stands in an event.
        if (auto const* properties = schema->if_contains("properties"); properties != nullptr && properties->is_object())
            for (auto const& property : properties->as_object())
                by_facet_[std::string(property.key())].push_back(*id);
        return *id;
    }

    void check_schemas()
    {
        for (auto const& [path, id] : by_path_) {
            auto const problems = schemas_.check(id);
            tally_.expect(problems.empty(), path + (problems.empty() ? "" : ": " + problems.front()));
        }
    }

    void expect_valid(std::string const& schema, JsonValue const& instance, std::string const& name)
    {
        auto const errors = schemas_.validate(schema, instance);
        tally_.expect(errors.empty(), name + (errors.empty() ? "" : errors.front()));
    }

    // ---- instances of facets: spec/tests/NAME/*.json are valid under spec/facets/NAME.json

    void check_instances()
    {
        for (auto const& file : json_files(folder_ / "spec/tests")) {
            auto const name = file.lexically_relative(folder_).string();
            auto const facet = file.parent_path().filename().string();
            auto const schema = by_path_.find(facet == "tests" ? std::string(event_schema_file) : "spec/facets/" + facet + ".json");
            auto const instance = read_value(file);
            if (schema == by_path_.end())
                tally_.skip("instances of a facet whose schema is not here");
            else if (instance.is_error())
                tally_.expect(false, instance.error().message);
            else
                check_instance(schema->second, *instance, name, facet == "tests");
        }
    }

    void check_instance(std::string const& schema, JsonValue const& instance, std::string const& name, bool is_event)
    {
        expect_valid(schema, instance, name + ": ");
        auto twin = instance;
        for (auto& member : twin.as_object())
            if (member.value().is_object())
                member.value().as_object().erase(is_event ? "runId" : "_producer");
        tally_.expect(!schemas_.validate(schema, twin).empty(), name + ": its altered twin is valid");
    }

    // ---- expected events

    void check_expected_events()
    {
        for (auto const& file : json_files(folder_ / "integration")) {
            auto const name = file.lexically_relative(folder_).string();
            auto const bytes = read_file(file);
            if (bytes.is_ok() && (as_text(*bytes).find("${json-unit") != std::string_view::npos || as_text(*bytes).find("\"{{ ") != std::string_view::npos)) {
                tally_.skip("expected events with placeholders");
                continue;
            }
            auto const value = read_value(file);
            if (value.is_error())
                tally_.expect(false, value.error().message);
            else if (value->is_array())
                for (auto const& event : value->as_array())
                    check_expected(event, name);
            else
                check_expected(*value, name);
        }
    }

    void check_expected(JsonValue const& value, std::string const& name)
    {
        auto const is_event = value.is_object() && !value.as_object().contains("metadata")
            && (value.as_object().contains("eventType") || value.as_object().contains("run") || value.as_object().contains("job")
                || value.as_object().contains("inputs") || value.as_object().contains("outputs"));
        if (!is_event)
            return tally_.skip("files beside expected events that are none");
        check_event(completed(value.as_object()), name);
        check_facets(value.as_object(), name);
    }

    static void fill(JsonObject& object, std::initializer_list<std::pair<char const*, std::string_view>> members)
    {
        for (auto const& [name, value] : members)
            if (!object.contains(name))
                object.emplace(name, value);
    }

    static JsonObject& object_in(JsonObject& parent, char const* name)
    {
        if (!parent.contains(name) || !parent[name].is_object())
            parent[name] = JsonObject();
        return parent[name].as_object();
    }

    static void fill_facets(JsonObject& owner, char const* name)
    {
        if (!owner.contains(name) || !owner[name].is_object())
            return;
        for (auto& facet : owner[name].as_object())
            if (facet.value().is_object())
                fill(facet.value().as_object(), { { "_producer", some_uri }, { "_schemaURL", some_uri } });
    }

    static JsonObject completed(JsonObject event)
    {
        fill(event, { { "eventTime", "2026-01-01T00:00:00Z" }, { "producer", some_uri }, { "schemaURL", some_uri } });
        auto& run = object_in(event, "run");
        fill(run, { { "runId", some_uuid } });
        fill_facets(run, "facets");
        auto& job = object_in(event, "job");
        fill(job, { { "namespace", "n" }, { "name", "n" } });
        fill_facets(job, "facets");
        for (auto const* side : { "inputs", "outputs" }) {
            if (!event.contains(side) || !event[side].is_array())
                continue;
            for (auto& dataset : event[side].as_array()) {
                fill(dataset.as_object(), { { "namespace", "n" }, { "name", "n" } });
                for (auto const* facets : { "facets", "inputFacets", "outputFacets" })
                    fill_facets(dataset.as_object(), facets);
            }
        }
        return event;
    }

    // ---- any event

    void check_event(JsonObject const& event, std::string const& name)
    {
        auto const& schema = by_path_[std::string(event_schema_file)];
        expect_valid(schema, event, name + ": ");
        for (auto const& [what, twin] : twins_of(event))
            tally_.expect(!schemas_.validate(schema, twin).empty(), name + ": valid although " + what);
    }

    static std::vector<std::pair<std::string, JsonObject>> twins_of(JsonObject const& event)
    {
        auto without_run = event, bad_id = event, bad_time = event, bad_type = event, bad_facet = event;
        without_run.erase("run");
        without_run.erase("job");
        bad_id["run"].as_object()["runId"] = "not a UUID";
        bad_time["eventTime"] = "yesterday";
        bad_type["eventType"] = "FINISHED";
        bad_facet["job"].as_object()["facets"] = JsonObject { { "f", JsonObject { { "_producer", some_uri } } } };
        return { { "it has no run and no job", without_run }, { "its run id is none", bad_id }, { "its time is none", bad_time },
            { "its type is none", bad_type }, { "a facet does not say its schema", bad_facet } };
    }

    // Wherever an object has `facets`.
    void check_facets(JsonObject const& object, std::string const& name)
    {
        for (auto const& member : object) {
            auto const is_facets = member.key() == "facets" || member.key() == "inputFacets" || member.key() == "outputFacets";
            if (member.value().is_object()) {
                if (is_facets)
                    check_known_facets(member.value().as_object(), name);
                else
                    check_facets(member.value().as_object(), name);
            }
            if (member.value().is_array())
                for (auto const& element : member.value().as_array())
                    if (element.is_object())
                        check_facets(element.as_object(), name);
        }
    }

    void check_known_facets(JsonObject const& facets, std::string const& name)
    {
        for (auto const& facet : facets) {
            auto const known = by_facet_.find(std::string(facet.key()));
            if (known == by_facet_.end()) {
                tally_.skip("facets whose schema is not here");
                continue;
            }
            if (!facet.value().is_object() || !facet.value().as_object().contains("_schemaURL")) {
                tally_.skip("facets in expected events that are patterns: they do not say their schema");
                continue;
            }
            JsonObject const instance { { facet.key(), facet.value() } };
            // `tags` and a few others are facets of several owners under one name.
            std::string first_error;
            auto const is_valid = std::ranges::any_of(known->second, [&](std::string const& schema) {
                auto const errors = schemas_.validate(schema, instance);
                if (!errors.empty() && first_error.empty())
                    first_error = errors.front();
                return errors.empty();
            });
            tally_.expect(is_valid, name + ": facet" + first_error);
        }
    }

    // ---- ours

    void check_own_events()
    {
        std::size_t events = 0;
        for (auto const& exported : export_story()) {
            auto const name = "our event of record " + std::to_string(exported.sequence);
            auto const text = audit::to_event(audit::EventFormat::openlineage, exported);
            if (text.empty())
                continue;
            ++events;
            auto const event = parse_json_object(text, corpus_limits);
            if (event.is_error()) {
                tally_.expect(false, name + ": " + event.error().message);
                continue;
            }
            check_event(*event, name);
            check_facets(*event, name);
            check_own_facets(event->at("run").as_object().at("facets").as_object(), name);
        }
        tally_.expect(events >= 10, "we make events of a run's records");
    }

    // Our own schema is strict: a member that it does not know, or one that is missing, is seen.
    void check_own_facets(JsonObject const& facets, std::string const& name)
    {
        for (auto const* facet : { "writ_decision", "writ_credential" }) {
            auto const* value = facets.if_contains(facet);
            if (value == nullptr)
                continue;
            for (auto const& member : value->as_object()) {
                if (member.key() != "record" && member.key() != "kind" && member.key() != "_schemaURL")
                    continue;
                auto twin = value->as_object();
                twin.erase(member.key());
                tally_.expect(!schemas_.validate(own_facets_, JsonObject { { facet, twin } }).empty(), name + ": valid without a member of " + facet);
            }
            auto twin = value->as_object();
            twin.emplace("unheard", 1);
            tally_.expect(!schemas_.validate(own_facets_, JsonObject { { facet, twin } }).empty(), name + ": an unknown member of " + facet);
        }
    }

    Path folder_;
    SchemaSet schemas_ { true };
    std::map<std::string, std::string> by_path_;
    std::map<std::string, std::vector<std::string>> by_facet_;
    std::string own_facets_;
    Tally tally_;
};

} // namespace

int main(int count, char** arguments)
{
    if (count != 2)
        return 2;
    return Runner(arguments[1]).run();
}

// SPDX-License-Identifier: Apache-2.0
#include "authority/database_declaration.h"

#include "issue/postgres_role/role_grants.h"

namespace writ::authority {

namespace {

JsonArray array_of(std::vector<std::string> const& texts)
{
    JsonArray array;
    for (auto const& text : texts)
        array.emplace_back(text);
    return array;
}

JsonObject object_of(std::map<std::string, std::string> const& texts)
{
    JsonObject object;
    for (auto const& [name, text] : texts)
        object.emplace(name, text);
    return object;
}

// SECURITY: what narrows, and was left empty, must not become the whole.
void refuse_empty(FieldReader& fields, YamlNode const& node, std::initializer_list<std::string_view> names)
{
    for (auto const name : names) {
        if (auto const* const found = node.find(name); found != nullptr && found->kind == YamlNode::Kind::null)
            fields.problem(found->position, "field `" + std::string(name) + "` is empty");
    }
}

JsonObject read_condition(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    refuse_empty(fields, node, { "any_of", "from", "before" });
    JsonObject condition { { "column", fields.text("column") } };
    if (fields.node("any_of") != nullptr)
        condition["any_of"] = array_of(fields.texts("any_of"));
    for (auto const* const bound : { "from", "before" }) {
        if (fields.node(bound) != nullptr)
            condition[bound] = fields.text(bound);
    }
    fields.finish();
    return condition;
}

// The elements of a list that are maps.
template <typename Read> JsonArray read_list(FieldReader& fields, std::string_view name, YamlNode const& list, Read read)
{
    JsonArray array;
    if (list.kind != YamlNode::Kind::sequence)
        fields.problem(list.position, "field `" + std::string(name) + "` must be a list");
    for (auto const& element : list.elements) {
        if (element.kind == YamlNode::Kind::map)
            array.emplace_back(read(element));
        else
            fields.problem(element.position, "an element of `" + std::string(name) + "` has named fields");
    }
    return array;
}

void read_table(FieldReader& fields, YamlNode const& node, JsonObject& relation, std::vector<Problem>& problems)
{
    refuse_empty(fields, node, { "columns", "rows" });
    relation["schema"] = fields.text_or("schema", "public");
    relation["table"] = fields.text("table");
    if (fields.node("columns") != nullptr)
        relation["columns"] = array_of(fields.texts("columns"));
    if (auto const* const rows = fields.node("rows"); rows != nullptr)
        relation["rows"] = read_list(fields, "rows", *rows, [&problems](YamlNode const& row) { return read_condition(row, problems); });
}

JsonObject read_table_of_list(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    JsonObject table;
    read_table(fields, node, table, problems);
    fields.finish();
    return table;
}

void add_words(std::string& words, JsonObject const& table)
{
    words += (words.empty() ? "" : ",") + std::string(string_or(table, "schema", "")) + "." + std::string(string_or(table, "table", ""));
}

} // namespace

JsonObject read_relation(FieldReader& fields, YamlNode const& node, std::vector<Problem>& problems)
{
    JsonObject relation;
    refuse_empty(fields, node, { "privileges" });
    auto const* const tables = fields.node("tables");
    auto const has_template = fields.node("template") != nullptr;
    if ((tables != nullptr ? 1 : 0) + (has_template ? 1 : 0) + (fields.node("table") != nullptr ? 1 : 0) > 1)
        fields.problem(node.position, "a dataset has one of `table`, `tables` and `template`");
    if (tables != nullptr)
        relation["tables"] = read_list(fields, "tables", *tables, [&problems](YamlNode const& table) { return read_table_of_list(table, problems); });
    else if (has_template)
        relation["template"] = object_of(fields.text_map("template"));
    else if (fields.node("table") != nullptr)
        read_table(fields, node, relation, problems);
    if (relation.empty())
        return relation;
    if (!has_template && fields.node("privileges") != nullptr)
        relation["privileges"] = object_of(fields.text_map("privileges"));
    if (auto const checked = issue::check_postgres_resource(relation); checked.is_error())
        fields.problem(node.position, checked.error().message);
    return relation;
}

std::string tables_of(JsonObject const& relation)
{
    std::string words;
    if (relation.contains("table"))
        add_words(words, relation);
    auto const list = array_member(relation, "tables");
    if (list.is_ok()) {
        for (auto const& table : **list)
            add_words(words, table.as_object());
    }
    return words;
}

} // namespace writ::authority

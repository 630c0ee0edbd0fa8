// SPDX-License-Identifier: Apache-2.0
#include "authority/document_set.h"

#include "base/json.h"

#include <algorithm>
#include <filesystem>

namespace writ::authority {

namespace {

bool is_document_marker(std::string_view line)
{
    return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

// The file cut at its `---` lines. SPEC: YAML 1.2 §9.1.2: such a line at column 1 ends a document, even inside a block scalar.
std::vector<DeclarationSource> cut_at_markers(DeclarationSource const& file)
{
    std::vector<DeclarationSource> pieces;
    pieces.push_back({ file.path, file.first_line, "" });
    int line_number = file.first_line;
    std::string_view rest = file.text;
    while (!rest.empty()) {
        auto const end = rest.find('\n');
        auto const line = rest.substr(0, end);
        if (is_document_marker(line)) {
            // What stands behind the marker belongs to the document, at its place in the line.
            bool const is_bare = line.find_first_not_of(" \t\r", 3) == std::string_view::npos;
            pieces.push_back({ file.path, is_bare ? line_number + 1 : line_number, is_bare ? "" : "   " + std::string(line.substr(3)) + "\n" });
        } else {
            pieces.back().text.append(rest.substr(0, end == std::string_view::npos ? end : end + 1));
        }
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        ++line_number;
    }
    return pieces;
}

void shift_lines(YamlNode& node, int lines)
{
    node.position.line += lines;
    for (auto& element : node.elements)
        shift_lines(element, lines);
    for (auto& member : node.members)
        shift_lines(member.node, lines);
}

std::string text_member(YamlNode const& node, std::string_view name)
{
    auto const* member = node.find(name);
    return member != nullptr && member->kind == YamlNode::Kind::scalar ? member->scalar : "";
}

// White space at the ends does not make a declaration another one.
std::string trimmed(std::string text)
{
    auto const end = text.find_last_not_of(" \t\r\n");
    text.erase(end == std::string::npos ? 0 : end + 1);
    return text + "\n";
}

bool has_ending(std::string const& path, std::string_view ending) { return path.size() > ending.size() && path.ends_with(ending); }

void add_document(DocumentSet& set, DeclarationKey key, DeclarationSource source, std::vector<Problem>& problems)
{
    auto const [entry, is_new] = set.try_emplace(std::move(key), source);
    if (!is_new) {
        problems.push_back({ { source.path, source.first_line, 1 },
            entry->first.kind + " `" + entry->first.name + "` is declared already, at " + entry->second.path + ":"
                + std::to_string(entry->second.first_line) });
    }
}

} // namespace

std::vector<YamlDeclaration> split_yaml(DeclarationSource const& file, std::vector<Problem>& problems)
{
    std::vector<YamlDeclaration> declarations;
    for (auto& piece : cut_at_markers(file)) {
        auto parsed = parse_yaml({ piece.path, piece.text });
        if (auto* problem = std::get_if<Problem>(&parsed)) {
            problem->position.line += piece.first_line - 1;
            problems.push_back(std::move(*problem));
            continue;
        }
        for (auto& node : std::get<0>(parsed)) {
            shift_lines(node, piece.first_line - 1);
            DeclarationKey key { text_member(node, "kind"), text_member(node, "name") };
            if (key.kind.empty() || key.name.empty())
                problems.push_back({ node.position, "a declaration needs the fields `kind` and `name`" });
            else
                declarations.push_back({ std::move(key), { piece.path, piece.first_line, trimmed(piece.text) }, std::move(node) });
        }
    }
    return declarations;
}

DocumentSet split_documents(std::vector<Document> const& documents, std::vector<Problem>& problems)
{
    DocumentSet set;
    for (auto const& document : documents) {
        DeclarationSource const source { document.path, 1, document.text };
        if (has_ending(document.path, ".cedar")) {
            auto name = std::filesystem::path(document.path).filename().string();
            add_document(set, { std::string(policies_kind), std::move(name) }, source, problems);
        } else if (has_ending(document.path, ".yaml") || has_ending(document.path, ".yml")) {
            for (auto& declaration : split_yaml(source, problems))
                add_document(set, std::move(declaration.key), std::move(declaration.source), problems);
        } else {
            problems.push_back({ { document.path }, "declarations are files that end in .yaml, .yml or .cedar" });
        }
    }
    if (set.size() > declarations_max)
        problems.push_back({ {}, "more than " + std::to_string(declarations_max) + " declarations" });
    return set;
}

std::string_view to_string(Change change)
{
    switch (change) {
    case Change::create: return "create";
    case Change::update: return "update";
    case Change::remove: return "delete";
    case Change::unchanged: return "unchanged";
    }
    return "unchanged";
}

bool Merge::changes_anything() const
{
    return std::any_of(changes.begin(), changes.end(), [](auto const& change) { return change.change != Change::unchanged; });
}

Merge merge_documents(DocumentSet const& current, DocumentSet const& incoming, bool prune)
{
    Merge merge;
    merge.documents = incoming;
    for (auto const& [key, source] : incoming) {
        auto const old = current.find(key);
        auto const change = old == current.end() ? Change::create : old->second.text == source.text ? Change::unchanged : Change::update;
        merge.changes.push_back({ change, key });
    }
    for (auto const& [key, source] : current) {
        if (incoming.contains(key))
            continue;
        if (prune)
            merge.changes.push_back({ Change::remove, key });
        else
            merge.documents.emplace(key, source);
    }
    std::sort(merge.changes.begin(), merge.changes.end(), [](auto const& left, auto const& right) { return left.key < right.key; });
    return merge;
}

std::string to_text(DocumentSet const& set)
{
    JsonArray entries;
    for (auto const& [key, source] : set)
        entries.push_back(JsonObject {
            { "kind", key.kind }, { "name", key.name }, { "path", source.path }, { "line", source.first_line }, { "text", source.text } });
    return writ::to_text(JsonValue(std::move(entries)));
}

Result<DocumentSet> parse_document_set(std::string_view text)
{
    // LIMIT: what split_documents lets in, with room for JSON's escapes.
    auto const value = TRY(parse_json(text, { .size_max = std::size_t(256) << 20U }));
    if (!value.is_array())
        return corruption("stored declarations are not a list");
    DocumentSet set;
    for (auto const& entry : value.as_array()) {
        if (!entry.is_object())
            return corruption("a stored declaration is not an object");
        auto const& object = entry.as_object();
        DeclarationKey key { std::string(TRY(string_member(object, "kind"))), std::string(TRY(string_member(object, "name"))) };
        set.emplace(std::move(key),
            DeclarationSource { std::string(TRY(string_member(object, "path"))), static_cast<int>(TRY(integer_member(object, "line"))),
                std::string(TRY(string_member(object, "text"))) });
    }
    return set;
}

} // namespace writ::authority

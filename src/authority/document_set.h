// SPDX-License-Identifier: Apache-2.0
//
// The source texts of all that is declared, one entry a declaration, by kind and name. Applying merges new entries over old ones;
// comments and layout survive, since what is kept is the text as it was written.
#pragma once

#include "authority/yaml.h"

#include <compare>
#include <map>

namespace writ::authority {

// LIMIT: far above any team's; bounds an apply's memory and time.
inline constexpr std::size_t declarations_max = 20'000;

// The kind under which Cedar files are kept; the name is the file's name.
inline constexpr std::string_view policies_kind = "Policies";

struct DeclarationKey {
    std::string kind;
    std::string name;
    auto operator<=>(DeclarationKey const&) const = default;
};

struct DeclarationSource {
    std::string path;
    int first_line = 1; // of the text within the file it came from
    std::string text;
    bool operator==(DeclarationSource const&) const = default;
};

using DocumentSet = std::map<DeclarationKey, DeclarationSource>;

// One YAML document of a file, parsed, with where it stood.
struct YamlDeclaration {
    DeclarationKey key;
    DeclarationSource source;
    YamlNode node;
};

// Splits a file into its declarations. Positions count from the file's first line.
std::vector<YamlDeclaration> split_yaml(DeclarationSource const& file, std::vector<Problem>& problems);

// Sorts files into declarations by their names' endings. Two of one kind and name in the same set are a problem.
DocumentSet split_documents(std::vector<Document> const&, std::vector<Problem>& problems);

enum class Change : std::uint8_t { create, update, remove, unchanged };
std::string_view to_string(Change);

struct DeclarationChange {
    Change change;
    DeclarationKey key;
};

// What applying `incoming` over `current` does, in key order; with prune, what is not among `incoming` goes.
struct Merge {
    DocumentSet documents;
    std::vector<DeclarationChange> changes;
    [[nodiscard]] bool changes_anything() const;
};
Merge merge_documents(DocumentSet const& current, DocumentSet const& incoming, bool prune);

// The form in which a version is stored.
std::string to_text(DocumentSet const&);
Result<DocumentSet> parse_document_set(std::string_view);

} // namespace writ::authority

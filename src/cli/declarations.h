// SPDX-License-Identifier: Apache-2.0
//
// What is declared, for commands that decide with it: the authority's reading of it, which only programs/ can name.
#pragma once

#include "base/durable_file.h"
#include "cli/documents.h"
#include "replay/declared.h"

namespace writ::cli {

struct Session;

struct StoredDeclarations {
    std::uint64_t version = 0;
    std::string text; // as the authority stores and lists them
};

class DeclarationReader {
public:
    virtual ~DeclarationReader() = default;
    // From an authority's data folder, running or not; the newest if no version is named.
    [[nodiscard]] virtual Result<StoredDeclarations> stored(Path const& data, std::optional<std::uint64_t> version) const = 0;
    [[nodiscard]] virtual Result<replay::Declared> compile(StoredDeclarations const&) const = 0;
    // What `writ apply` of the files would make of them. Problems are lines of their own, with their places.
    [[nodiscard]] virtual Result<replay::Declared> apply(
        StoredDeclarations const&, std::vector<DeclaredFile> const&, bool prune, std::vector<std::string>& problems) const = 0;
};

// From the data folder if one is named, else from the running authority.
Result<StoredDeclarations> current_declarations(Session const&, std::string const& data);

} // namespace writ::cli

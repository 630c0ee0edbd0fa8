// SPDX-License-Identifier: Apache-2.0
//
// The authority's reading of what is declared, for commands that decide with it.
#include "authority/declared.h"
#include "programs/programs.h"
#include "store/sqlite/sqlite_store.h"

namespace writ::programs {

namespace {

class StoredDeclarationReader final : public cli::DeclarationReader {
public:
    [[nodiscard]] Result<cli::StoredDeclarations> stored(Path const& data, std::optional<std::uint64_t> version) const override
    {
        auto const store = TRY(store::read_sqlite_declarations(data / "writ.db"));
        if (version == std::uint64_t(0))
            return cli::StoredDeclarations();
        auto found = TRY(version ? store->version(*version) : store->latest());
        return cli::StoredDeclarations { found.number, std::move(found.text) };
    }

    [[nodiscard]] Result<replay::Declared> compile(cli::StoredDeclarations const& stored) const override
    {
        return authority::declared_of(stored.version, stored.text);
    }

    [[nodiscard]] Result<replay::Declared> apply(cli::StoredDeclarations const& stored, std::vector<cli::DeclaredFile> const& files,
        bool prune, std::vector<std::string>& lines) const override
    {
        std::vector<authority::Document> documents;
        for (auto const& file : files)
            documents.push_back({ file.path, file.text });
        std::vector<authority::Problem> problems;
        auto declared = authority::declared_with(stored.version == 0 ? "[]" : stored.text, documents, prune, problems);
        for (auto const& problem : problems)
            lines.push_back(to_string(problem));
        if (!declared)
            return invalid_argument(
                "the draft has " + std::to_string(problems.size()) + (problems.size() == 1 ? " problem" : " problems"));
        return std::move(*declared);
    }
};

} // namespace

std::shared_ptr<cli::DeclarationReader const> declaration_reader() { return std::make_shared<StoredDeclarationReader>(); }

} // namespace writ::programs

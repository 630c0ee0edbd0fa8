// SPDX-License-Identifier: Apache-2.0
#include "cli/authority_log.h"

#include "cli/declarations.h"

namespace writ::cli {

namespace {

class AuthorityLog final : public replay::EntrySource {
public:
    AuthorityLog(Session const& session, std::uint64_t size)
        : session_(session)
        , size_(size)
    {
    }
    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] Result<Bytes> file(std::string const& path) const override
    {
        return to_bytes(TRY(call_authority(session_, get_request("/log/" + path))).body);
    }

private:
    Session const& session_;
    std::uint64_t size_;
};

} // namespace

Result<std::unique_ptr<replay::EntrySource>> open_entries(Session const& session, std::string const& data)
{
    if (!data.empty())
        return replay::open_log_files(Path(data) / "log");
    auto const checkpoint = TRY(call_authority(session, get_request("/log/checkpoint")));
    auto const size = TRY(replay::size_of_checkpoint(checkpoint.body).in("the authority's checkpoint"));
    return std::unique_ptr<replay::EntrySource>(std::make_unique<AuthorityLog>(session, size));
}

Result<StoredDeclarations> current_declarations(Session const& session, std::string const& data)
{
    if (!data.empty())
        return session.declarations->stored(data, std::nullopt);
    auto const answer = TRY(object_of(call_authority(session, get_request("/v1/declarations"))));
    return StoredDeclarations { static_cast<std::uint64_t>(TRY(integer_member(answer, "version"))),
        to_text(JsonValue(*TRY(array_member(answer, "declarations")))) };
}

} // namespace writ::cli

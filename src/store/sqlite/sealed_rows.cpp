// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sealed_rows.h"

#include "base/json.h"

namespace writ::store {

namespace {

class SealedRows final : public SealedStore {
public:
    explicit SealedRows(std::shared_ptr<Database> database)
        : database_(std::move(database))
    {
    }

    Result<> replace(Seal const& seal) override
    {
        TRY(database_->execute("BEGIN IMMEDIATE"));
        auto const replaced = replace_all(seal);
        auto const ended = database_->execute(replaced.is_ok() ? "COMMIT" : "ROLLBACK");
        return replaced.is_ok() ? ended : replaced;
    }

private:
    using Items = std::vector<Item>;

    Result<Items> keys()
    {
        auto statement = TRY(database_->prepare("SELECT name, sealed FROM keys WHERE length(sealed) > 0"));
        Items items;
        while (TRY(statement.step()))
            items.push_back({ Kind::key, statement.text(0), 0, statement.blob(1) });
        return items;
    }

    // Of each version the key that its value is sealed with.
    Result<Items> secrets()
    {
        auto statement = TRY(database_->prepare("SELECT name, version, key FROM secrets"));
        Items items;
        while (TRY(statement.step()))
            items.push_back({ Kind::secret, statement.text(0), static_cast<std::uint64_t>(statement.number(1)), statement.blob(2) });
        return items;
    }

    // Of leases that have not ended, as what takes them back is kept: `{"sealed": base64}`.
    Result<Items> leases()
    {
        auto statement = TRY(database_->prepare("SELECT id, target FROM leases WHERE state <> ?1 AND target LIKE '{\"sealed\":%'"));
        Items items;
        statement.bind(std::int64_t(identity::LeaseState::ended));
        while (TRY(statement.step())) {
            auto const target = TRY(parse_json_object(statement.text(1)));
            items.push_back({ Kind::lease, statement.text(0), 0, TRY(parse_base64(TRY(string_member(target, "sealed")))) });
        }
        return items;
    }

    Result<> put(Item const& item, BytesView sealed)
    {
        if (item.kind == Kind::key) {
            auto statement = TRY(database_->prepare("UPDATE keys SET sealed = ?1 WHERE name = ?2"));
            TRY(statement.bind(sealed).bind(item.name).run());
        } else if (item.kind == Kind::secret) {
            auto statement = TRY(database_->prepare("UPDATE secrets SET key = ?1 WHERE name = ?2 AND version = ?3"));
            TRY(statement.bind(sealed).bind(item.name).bind(item.version).run());
        } else {
            auto const target = to_text(JsonObject { { "sealed", to_base64(sealed) } });
            auto statement = TRY(database_->prepare("UPDATE leases SET target = ?1 WHERE id = ?2"));
            TRY(statement.bind(target).bind(item.name).run());
        }
        return {};
    }

    Result<> replace_all(Seal const& seal)
    {
        for (auto const& items : { TRY(keys()), TRY(secrets()), TRY(leases()) }) {
            for (auto const& item : items)
                TRY(put(item, TRY(seal(item))));
        }
        return {};
    }

    std::shared_ptr<Database> database_;
};

} // namespace

std::unique_ptr<SealedStore> create_sealed_rows(std::shared_ptr<Database> database) { return std::make_unique<SealedRows>(std::move(database)); }

} // namespace writ::store

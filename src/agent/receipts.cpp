// SPDX-License-Identifier: Apache-2.0
#include "agent/receipts.h"

#include "base/logger.h"

#include <algorithm>

namespace writ::agent {

namespace {

constexpr Duration retry_first = std::chrono::seconds(1);
constexpr Duration retry_longest = std::chrono::seconds(30);
// LIMIT: after that the receipt is still at the authority, for whoever asks by number.
constexpr int attempts_max = 20;

} // namespace

net::Task<Result<SecretText>> fetch_receipt(AuthorityClient& authority, std::uint64_t record)
{
    auto sent = co_await authority.send("GET", "/v1/receipts/" + std::to_string(record), {}, JsonValue(nullptr));
    auto response = CO_TRY(sent);
    if (response.status != 200)
        co_return to_error(response);
    co_return SecretText(std::move(response.body));
}

std::string receipt_name(std::size_t place) { return place == 0 ? "receipt" : "receipt-" + std::to_string(place + 1); }

net::Task<> deliver_receipts(AuthorityClient& authority, Path run_folders, ReceiptOrder order)
{
    auto wait = retry_first;
    std::size_t place = 0;
    for (int attempt = 0; place < order.records.size() && attempt < attempts_max; ++attempt) {
        std::error_code gone;
        if (!std::filesystem::exists(run_folders / order.run, gone))
            co_return;
        auto receipt = co_await fetch_receipt(authority, order.records[place]);
        auto const written = receipt.is_ok()
            ? add_run_file(run_folders, order.run, order.uid, order.gid, { receipt_name(place), "", std::move(receipt).value() })
            : Result<>(receipt.error());
        if (written.is_ok() || written.error().code == ErrorCode::not_found) {
            ++place;
            attempt = -1;
            wait = retry_first;
            continue;
        }
        log_info("a receipt is not there yet", { { "run", order.run }, { "record", order.records[place] }, { "error", written.error().message } });
        co_await net::delay(wait);
        wait = std::min(wait * 2, retry_longest);
    }
}

} // namespace writ::agent

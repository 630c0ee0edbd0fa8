// SPDX-License-Identifier: Apache-2.0
//
// writ audit reindex.
#include "audit/offline_log.h"
#include "cli/commands.h"
#include "cli/output.h"

#include <cstdio>
#include <memory>

namespace writ::cli {

namespace {

struct Options {
    std::string data;
};

int reindex(Session const& session, Options const& options)
{
    auto const folder = options.data.empty() ? default_data_folder() : Path(options.data);
    SystemClock const clock;
    auto const began = clock.monotonic();
    auto const count = audit::rebuild_index(folder, nullptr);
    if (count.is_error())
        return fail(count.error());
    auto const seconds = std::chrono::duration<double>(clock.monotonic() - began).count();
    if (session.json) {
        print_json(JsonObject { { "records", *count }, { "seconds", seconds } });
        return 0;
    }
    char line[100];
    std::snprintf(line, sizeof line, "%llu records indexed in %.2f s", static_cast<unsigned long long>(*count), seconds);
    print_line(line);
    return 0;
}

} // namespace

void add_audit_reindex_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("reindex", "Build the index anew from the log; no authority may be using it");
    auto const options = std::make_shared<Options>();
    command->add_option("--data", options->data, "The authority's data folder")->type_name("DIR");
    add_json_flag(*command, session);
    command->footer("The index only says where in the log something stands: losing it loses nothing.\n\nExample:\n  writ audit reindex --data "
                    "/var/lib/writ");
    command->callback([&session, options] { session.action = [&session, options] { return reindex(session, *options); }; });
}

} // namespace writ::cli

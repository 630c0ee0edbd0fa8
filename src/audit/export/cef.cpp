// SPDX-License-Identifier: Apache-2.0
//
// ArcSight Common Event Format, version 0: a head of seven fields and an extension of names and values.
#include "audit/export/event.h"
#include "base/version.h"

namespace writ::audit {

namespace {

// In the head `|` and `\` are escaped, in the extension `=` and `\`; line ends are written as `\n` there and cannot be in the head.
std::string escaped(std::string_view text, char special)
{
    std::string out;
    for (auto const character : text) {
        if (character == '\n' || character == '\r') {
            out += special == '=' ? (character == '\n' ? "\\n" : "\\r") : " ";
            continue;
        }
        if (character == '\\' || character == special)
            out += '\\';
        out += character;
    }
    return out;
}

// 0 to 10; a denial is what somebody may want to look at.
int severity_of(Record const& record)
{
    if (record.allowed == false)
        return 6;
    if (!record.policy_errors.empty() || (!record.outcome.empty() && record.outcome != "ok"))
        return 5;
    return record.type == RecordType::administration ? 4 : 2;
}

class Extension {
public:
    void add(std::string_view name, std::string_view value)
    {
        if (value.empty())
            return;
        if (!text_.empty())
            text_ += ' ';
        text_.append(name).append("=").append(escaped(value, '='));
    }
    // One of the six texts whose meaning is told beside them.
    void add_labelled(std::string_view label, std::string_view value)
    {
        if (value.empty())
            return;
        auto const name = "cs" + std::to_string(++labelled_);
        add(name, value);
        add(name + "Label", label);
    }
    [[nodiscard]] std::string const& text() const { return text_; }

private:
    std::string text_;
    int labelled_ = 0;
};

std::string joined(std::vector<std::string> const& texts)
{
    std::string text;
    for (auto const& element : texts)
        text += (text.empty() ? "" : ",") + element;
    return text;
}

std::string extension_of(ExportedRecord const& exported)
{
    auto const& record = exported.record;
    Extension extension;
    extension.add("rt", std::to_string(std::chrono::floor<std::chrono::milliseconds>(record.time.time_since_epoch()).count()));
    extension.add("externalId", std::to_string(exported.sequence) + (exported.item == 0 ? "" : "/" + std::to_string(exported.item)));
    extension.add("dvchost", trust_domain_of(exported));
    extension.add("act", record.action);
    extension.add("outcome", record.allowed ? (*record.allowed ? "allow" : "deny") : record.outcome);
    extension.add("suser", record.workload_name);
    extension.add("suid", record.workload.empty() ? record.caller : record.workload);
    extension.add("reason", record.reason);
    extension.add("msg", sentence_of(record));
    if (record.resource) {
        extension.add("fname", name_of(*record.resource));
        extension.add("fileType", record.resource->type);
        extension.add("fileHash", record.resource->digest);
    }
    extension.add_labelled("policies", joined(record.policies));
    extension.add_labelled("purpose", record.purpose);
    extension.add_labelled("run", record.run);
    extension.add_labelled("trace", record.trace);
    if (record.credential) {
        extension.add_labelled("credential", record.credential->kind + " " + record.credential->id);
        extension.add_labelled("scope", record.credential->scope);
    }
    return extension.text();
}

} // namespace

std::string cef_event(ExportedRecord const& exported)
{
    auto const type = to_string(exported.record.type);
    std::string name(type);
    if (exported.record.allowed)
        name += *exported.record.allowed ? " allow" : " deny";
    return "CEF:0|Writ|Writ|" + escaped(version_text, '|') + "|" + escaped(type, '|') + "|" + escaped(name, '|') + "|"
        + std::to_string(severity_of(exported.record)) + "|" + extension_of(exported);
}

} // namespace writ::audit

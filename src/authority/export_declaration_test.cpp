// SPDX-License-Identifier: Apache-2.0
#include "authority/export_declaration.h"

#include "authority/declaration_parser.h"

#include <gtest/gtest.h>

namespace writ::authority {
namespace {

std::vector<audit::ExportSpecification> declared(std::string const& text, std::vector<Problem>& problems)
{
    return exports_of(parse_declarations(split_documents({ { "x.yaml", "kind: AuditExport\nname: siem\n" + text } }, problems), problems));
}

std::string first_problem(std::string const& text)
{
    std::vector<Problem> problems;
    declared(text, problems);
    return problems.empty() ? "" : to_string(problems.front());
}

} // namespace

TEST(ExportDeclaration, all_fields_are_read)
{
    std::vector<Problem> problems;
    auto const exports = declared("format: ocsf\ndestination: https://siem.example/in\nbatch: array\ncompression: gzip\nfrom: now\n"
                                  "only: { type: [decision, issuance], decision: deny, team: oncology }\nca_file: /etc/ca.pem\ntoken_file: /etc/token\n",
        problems);
    ASSERT_TRUE(problems.empty()) << to_string(problems.front());
    ASSERT_EQ(exports.size(), 1U);
    auto const& wanted = exports.front();
    EXPECT_EQ(wanted.name, "siem");
    EXPECT_EQ(wanted.format, audit::EventFormat::ocsf);
    EXPECT_EQ(wanted.shape, audit::BatchShape::array);
    EXPECT_TRUE(wanted.is_compressed && wanted.begins_now);
    EXPECT_EQ(wanted.filter.types.size(), 2U);
    EXPECT_EQ(wanted.filter.allowed, false);
    EXPECT_EQ(wanted.filter.teams, std::vector<std::string> { "oncology" });
    EXPECT_EQ(wanted.token_file, "/etc/token");
}

TEST(ExportDeclaration, kafka_takes_a_user_with_a_password_file)
{
    std::vector<Problem> problems;
    auto const exports = declared("format: json\ndestination: kafka+tls://b1:9093/audit\nuser: writ\npassword_file: /etc/password\n", problems);
    ASSERT_TRUE(problems.empty()) << to_string(problems.front());
    EXPECT_EQ(exports.front().sasl_mechanism, "SCRAM-SHA-256");
}

TEST(ExportDeclaration, what_would_do_nothing_or_harm_is_refused_with_its_place)
{
    EXPECT_EQ(first_problem("format: leef\ndestination: file:///a\n").substr(0, 9), "x.yaml:3:");
    EXPECT_EQ(first_problem("format: json\ndestination: http://siem.example/\n").substr(0, 9), "x.yaml:4:");
    for (auto const* text : { "format: json\n", "format: json\ndestination: file:///a\ntoken_file: /t\n", "format: json\ndestination: file:///a\nca_file: /t\n",
             "format: json\ndestination: file:///a\nbatch: array\n", "format: json\ndestination: https://h/\ntoken_file: t\n",
             "format: json\ndestination: https://h/\nuser: u\npassword_file: /p\n", "format: json\ndestination: kafka+tls://h:1/t\nuser: u\n",
             "format: json\ndestination: https://h/\ncertificate_file: /c\n", "format: json\ndestination: https://h/\nonly: { decision: maybe }\n",
             "format: json\ndestination: https://h/\nonly: { type: [everything] }\n", "format: json\ndestination: https://h/\nonly: { tape: decision }\n",
             "format: json\ndestination: https://h/\nfrom: yesterday\n", "format: json\ndestination: https://h/\ncompression: zstd\n" })
        EXPECT_NE(first_problem(text), "") << text;
}

} // namespace writ::authority

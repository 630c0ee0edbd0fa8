// SPDX-License-Identifier: Apache-2.0
#include "cli/kubectl_credential.h"

namespace writ::cli {

Result<KubectlQuestion> parse_kubectl_question(std::string_view text)
{
    KubectlQuestion question;
    if (text.empty())
        return question;
    auto const object = TRY(parse_json_object(text));
    auto const version = TRY(string_member(object, "apiVersion"));
    if (version != question.version && version != "client.authentication.k8s.io/v1beta1")
        return invalid_argument("`" + std::string(version) + "` is no version of ExecCredential that is known here");
    question.version = version;
    auto const& spec = *TRY(object_member(object, "spec"));
    if (spec.contains("cluster"))
        question.server = TRY(string_member(*TRY(object_member(spec, "cluster")), "server"));
    return question;
}

SecretText kubectl_answer(KubectlQuestion const& question, PlacedToken const& token)
{
    auto const ends = to_rfc3339(token.expires).substr(0, 19) + "Z"; // in whole seconds, as the API has its times
    JsonObject const answer { { "apiVersion", question.version }, { "kind", "ExecCredential" },
        { "status", JsonObject { { "token", token.secret.reveal() }, { "expirationTimestamp", ends } } } };
    return SecretText(to_text(JsonValue(answer)));
}

} // namespace writ::cli

/* token_command: mint a token for an operator of the dashboard (HS256). */
#include "cli/command.h"
#include "dashboard/auth/claims.h"
#include "dashboard/auth/token.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXPIRES_MS = 8 * 3600 * 1000 };

struct token_arguments {
    const char *subject;
    int64_t expires_ms;
};

static const struct argument arguments[] = {
    {"--subject", ARGUMENT_TEXT, offsetof(struct token_arguments, subject), "NAME",
     "who it is for; the audit lines name them (operator)"},
    {"--expires", ARGUMENT_DURATION, offsetof(struct token_arguments, expires_ms), "D",
     "how long it is valid (8h)"},
};

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct token_arguments *own = given;
    const struct auth_rules rules = {.issuer = config->auth_issuer,
                                     .audience = config->auth_audience,
                                     .operator_claim = config->auth_operator_claim,
                                     .operator_values = config->auth_operator_values,
                                     .mints_aal2 =
                                         config->auth_operator_aal2 != OPERATOR_AAL2_NEVER};
    int64_t now_s = clock_wall_ms() / 1000;
    int64_t expires_ms = own->expires_ms >= 0 ? own->expires_ms : EXPIRES_MS;
    if (config->auth_hs256_secret == NULL)
        return error_set(err, ERROR_CONFIG,
                         "auth.hs256_secret is required to mint a token; with other keys, tokens "
                         "come from the holder of the private one");
    if (!claims_check_option(rules.operator_claim, err))
        return false;
    char *token = auth_mint(&rules, config->auth_hs256_secret,
                            own->subject != NULL ? own->subject : "operator", now_s,
                            now_s + expires_ms / 1000, err);
    if (token == NULL)
        return false;
    if (rules.operator_claim == NULL)
        fputs("elementor-sync: this token has the role service_role: every service with the same "
              "secret trusts it. Set auth.operator_claim to mint one that only the dashboard "
              "honours.\n",
              stderr);
    bool ok = puts(token) >= 0 && fflush(stdout) == 0;
    free(token);
    return ok || error_set(err, ERROR_FAILED, "the token could not be written");
}

static const char *const examples[] = {"token --subject amina", NULL};

const struct command command_token = {.name = "token",
                                      .summary = "mint a token for an operator of the dashboard",
                                      .arguments = arguments,
                                      .argument_count = sizeof arguments / sizeof *arguments,
                                      .options_size = sizeof(struct token_arguments),
                                      .config = COMMAND_CONFIG_LOADED,
                                      .examples = examples,
                                      .run = run};

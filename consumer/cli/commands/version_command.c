/* version_command: the program's version, how it was built, and the libraries that it runs with. */
#include "cli/command.h"
#include "commit.h"

#include <curl/curl.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>
#include <yaml.h>
#include <zlib.h>

enum { NAME_WIDTH = 14 };

struct version_arguments {
    bool json;
};

static const struct argument arguments[] = {
    {"--json", ARGUMENT_FLAG, offsetof(struct version_arguments, json), "",
     "one JSON object, for machines"},
};

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct version_arguments *own = given;
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    const struct {
        const char *name, *value;
    } rows[] = {
        {"commit", ELEMENTOR_SYNC_COMMIT},
        {"build", ELEMENTOR_SYNC_BUILD},
        {"librdkafka", rd_kafka_version_str()},
        {"libcurl", curl->version},
        {"libcurl's TLS", curl->ssl_version != NULL ? curl->ssl_version : "none"},
        {"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)},
        {"libmicrohttpd", MHD_get_version()},
        {"avro-c", AVRO_BUILT_WITH}, /* it has no function that says it */
        {"jansson", jansson_version_str()},
        {"libyaml", yaml_get_version_string()},
        {"SQLite", sqlite3_libversion()},
        {"zlib", zlibVersion()},
    };
    (void)config;
    printf(own->json ? "{\"version\":\"%s\"" : "elementor-sync %s\n", ELEMENTOR_SYNC_VERSION);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (own->json)
            printf(",\"%s\":\"%s\"", rows[i].name, rows[i].value);
        else
            printf("%-*s %s\n", NAME_WIDTH, rows[i].name, rows[i].value);
    if (own->json)
        puts("}");
    return fflush(stdout) == 0 || error_set(err, ERROR_FAILED, "the version could not be written");
}

static const char *const examples[] = {"version", "version --json", NULL};

const struct command command_version = {.name = "version",
                                        .summary =
                                            "print version, commit, build and linked libraries",
                                        .arguments = arguments,
                                        .argument_count = sizeof arguments / sizeof *arguments,
                                        .options_size = sizeof(struct version_arguments),
                                        .config = COMMAND_CONFIG_NONE,
                                        .examples = examples,
                                        .run = run};

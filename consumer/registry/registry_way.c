/* registry_way: a configuration's way to the registry: trust, login, headers. */
#include "registry/registry.h"

#include "http/tls/client_identity.h"

#include <stdio.h>
#include <stdlib.h>

enum { RESPONSE_MAX = 4 * 1024 * 1024 };

static bool add_header(struct registry_way *way, size_t i, const char *name, const char *value)
{
    if (asprintf(&way->headers[i], "%s: %s", name, value) >= 0)
        return true;
    way->headers[i] = NULL;
    return false;
}

static bool set_headers(struct registry_way *way, const struct config *config)
{
    bool ok =
        add_header(way, 0, "Accept", "application/vnd.schemaregistry.v1+json, application/json");
    for (size_t i = 0; ok && i < config->registry_header_count; i++)
        ok = add_header(way, i + 1, config->registry_headers[i].name,
                        config->registry_headers[i].value);
    return ok;
}

static bool read_identity(struct registry_way *way, const struct config *config, struct error *err)
{
    if (config->registry_cert_file == NULL || config->registry_key_file == NULL)
        return true;
    way->identity = client_identity_read("registry.", config->registry_cert_file,
                                         config->registry_key_file, err);
    return way->identity != NULL;
}

bool registry_way_init(struct registry_way *way, const struct config *config, struct error *err)
{
    *way = (struct registry_way){0};
    if (!(set_headers(way, config) || error_no_memory(err)) || !read_identity(way, config, err)) {
        registry_way_done(way);
        return false;
    }
    way->endpoint = (struct http_endpoint){
        .ca_file = config->registry_ca_file,
        .identity = way->identity,
        .user = config->registry_user,
        .password = config->registry_password,
        .token = config->registry_token,
        .timeout_ms = config->registry_timeout,
        .response_max = RESPONSE_MAX,
        .http_allowed = true,
        .connections_max = REGISTRY_IN_FLIGHT_MAX,
    };
    return true;
}

void registry_way_done(struct registry_way *way)
{
    for (size_t i = 0; way->headers[i] != NULL; i++)
        free(way->headers[i]);
    client_identity_free(way->identity);
    *way = (struct registry_way){0};
}

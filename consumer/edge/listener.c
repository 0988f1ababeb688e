#include "edge/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "[::1]:80" and "host:80" into their two parts. */
static bool split(const char *text, char host[256], char port[8])
{
    const char *colon = strrchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    if (colon == NULL || len > 255 || strlen(colon + 1) - 1 > 4 ||
        colon[1 + strspn(colon + 1, "0123456789")] != '\0')
        return false;
    snprintf(port, 8, "%s", colon + 1);
    if (len > 2 && text[0] == '[' && text[len - 1] == ']')
        snprintf(host, 256, "%.*s", (int)len - 2, text + 1);
    else
        snprintf(host, 256, "%.*s", (int)len, text);
    return true;
}

static void name_address(int fd, char ret[LISTENER_ADDRESS_MAX])
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[INET6_ADDRSTRLEN + 1], port[8];
    snprintf(ret, LISTENER_ADDRESS_MAX, "?");
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(ret, LISTENER_ADDRESS_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static int listen_at(const struct addrinfo *at)
{
    enum { BACKLOG = 256 };
    const int on = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int listener_open(const char *name, const char *text, char ret_address[LISTENER_ADDRESS_MAX],
                  struct error *err)
{
    char host[256], port[8];
    struct addrinfo *found;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    if (!split(text, host, port)) {
        error_set(err, ERROR_CONFIG, "%s: \"%s\" is not HOST:PORT, as 127.0.0.1:8080", name, text);
        return -1;
    }
    int code = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found);
    if (code != 0) {
        error_set(err, ERROR_CONFIG, "%s: \"%s\": %s", name, text, gai_strerror(code));
        return -1;
    }
    int fd = listen_at(found);
    if (fd < 0)
        error_set(err, ERROR_FAILED, "%s: %s: %s", name, text, strerror(errno));
    else
        name_address(fd, ret_address);
    freeaddrinfo(found);
    return fd;
}

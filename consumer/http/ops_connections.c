#include "http/ops_connections.h"

#include <netinet/in.h>
#include <string.h>

static void copy_address(unsigned char ret_address[16], const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memset(ret_address, 0, 16);
    if (address != NULL && address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        memset(ret_address + 10, 0xff, 2);
        memcpy(ret_address + 12, &v4.sin_addr, 4);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        memcpy(ret_address, &v6.sin6_addr, 16);
    }
}

static size_t from_same(const struct ops_guests *guests, const struct ops_guest *guest)
{
    size_t count = 0;
    for (size_t i = 0; i < guests->taken; i++)
        count += guests->places[i].fd >= 0 &&
                 memcmp(guests->places[i].address, guest->address, sizeof guest->address) == 0;
    return count;
}

/* The oldest of the address that has the most: a lone prober's is the last to go. */
static struct ops_guest *who_goes(struct ops_guests *guests)
{
    struct ops_guest *goes = &guests->places[0];
    size_t most = from_same(guests, goes);
    for (size_t i = 1; i < guests->taken; i++) {
        struct ops_guest *guest = &guests->places[i];
        size_t count = from_same(guests, guest);
        if (count > most || (count == most && guest->since_ms < goes->since_ms)) {
            goes = guest;
            most = count;
        }
    }
    return goes;
}

static struct ops_guest *free_place(struct ops_guests *guests)
{
    for (size_t i = 0; i < guests->taken; i++)
        if (guests->places[i].fd < 0)
            return &guests->places[i];
    if (guests->taken < OPS_CONNECTIONS_MAX)
        return &guests->places[guests->taken++];
    struct ops_guest *goes = who_goes(guests);
    shutdown(goes->fd, SHUT_RDWR);
    return goes;
}

struct ops_guest *ops_guests_come(struct ops_guests *guests, int fd, const struct sockaddr *address,
                                  int64_t now_ms)
{
    struct ops_guest *guest = free_place(guests);
    *guest = (struct ops_guest){.fd = fd, .since_ms = now_ms};
    copy_address(guest->address, address);
    return guest;
}

void ops_guests_leave(struct ops_guest *guest, int fd)
{
    if (guest != NULL && guest->fd == fd)
        guest->fd = -1;
}

void ops_guests_served(struct ops_guest *guest, int fd, int64_t now_ms)
{
    if (guest != NULL && guest->fd == fd)
        guest->since_ms = now_ms;
}

int64_t ops_guests_turn(struct ops_guests *guests, int64_t now_ms)
{
    int64_t next_ms = -1;
    for (size_t i = 0; i < guests->taken; i++) {
        struct ops_guest *guest = &guests->places[i];
        int64_t left_ms = guest->since_ms + OPS_REQUEST_MS - now_ms;
        if (guest->fd < 0)
            continue;
        if (left_ms <= 0) {
            shutdown(guest->fd, SHUT_RDWR);
            guest->fd = -1;
        } else if (next_ms < 0 || left_ms < next_ms) {
            next_ms = left_ms;
        }
    }
    return next_ms;
}

"""Limits are for one network: whoever stands behind it must be told apart from everyone else, however a proxy writes it."""

import pytest

from clinic_site.network import client_address, network_of


@pytest.fixture
def seen(rf, settings):
    """The address that a request counts as: `seen(peer, forwarded, proxies)`."""

    def ask(peer, forwarded=None, proxies=0):
        settings.TRUSTED_PROXIES = proxies
        headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
        return client_address(rf.get("/", REMOTE_ADDR=peer, **headers))

    return ask


def test_without_a_declared_proxy_a_forwarded_address_is_not_believed(seen):
    assert seen("192.0.2.7", "198.51.100.1") == "192.0.2.7"


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("198.51.100.1", 1, "198.51.100.1"),
        ("203.0.113.9, 198.51.100.1", 1, "198.51.100.1"),
        ("203.0.113.9, 198.51.100.1, 10.0.0.1", 2, "198.51.100.1"),
        ("10.0.0.1", 2, "192.0.2.7"),
        ("", 1, "192.0.2.7"),
        ("unknown", 1, "192.0.2.7"),
    ],
)
def test_the_address_that_the_nearest_declared_proxy_saw_counts(seen, forwarded, proxies, address):
    assert seen("192.0.2.7", forwarded, proxies) == address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("198.51.100.1:49152", "198.51.100.1"),
        ("[2001:db8::1]:49152", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[::ffff:198.51.100.1]:49152", "198.51.100.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%eth0 whatever]:49152", "fe80::1"),
    ],
)
def test_people_are_told_apart_however_their_address_is_written(seen, written, address):
    assert seen("192.0.2.7", written, 1) == address
    assert network_of(seen("192.0.2.7", written, 1)) == network_of(address)


def test_two_people_on_a_dual_stack_socket_are_two_networks(seen):
    assert network_of(seen("::ffff:198.51.100.1")) != network_of(seen("::ffff:198.51.100.2"))


def test_a_household_is_one_network_in_either_version():
    assert network_of("198.51.100.1") == "198.51.100.1"
    assert network_of("2001:db8::1") == network_of("2001:db8::2") != network_of("2001:db8:0:1::1")
    assert network_of("") == "unknown"

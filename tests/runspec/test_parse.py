from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.ports import ContainerSpec
from dockdesk.runspec.durations import duration_flag, parse_duration
from dockdesk.runspec.parse import parse_run
from dockdesk.runspec.render import run_command, run_sdk


def test_a_line_from_a_readme_becomes_a_spec() -> None:
    parsed = parse_run(
        "docker run -itd --rm --name=web -p 8080:80 -p127.0.0.1:9000:9000/udp \\\n"
        '  -e FOO=bar --env "SPACED=a b" -v "$(pwd)/data:/data:ro" -v ~/x:/x \\\n'
        "  --mount type=bind,source=/a,target=/b,readonly --mount type=tmpfs,dst=/tmp,tmpfs-size=64m \\\n"
        "  --cpus 1.5 -m 512m --health-interval 1m30s --network name=net,alias=db \\\n"
        "  nginx:1.27 nginx -g 'daemon off;'",
        home="/home/ann",
        folder="/src",
    )
    spec = parsed.spec
    assert spec.image == "nginx:1.27"
    assert spec.command == ("nginx", "-g", "daemon off;")
    assert (spec.tty, spec.interactive, spec.auto_remove) == (True, True, True)
    assert spec.ports == ("8080:80", "127.0.0.1:9000:9000/udp")
    assert spec.env == (("FOO", "bar"), ("SPACED", "a b"))
    assert spec.volumes == ("/src/data:/data:ro", "/home/ann/x:/x", "/a:/b:ro")
    assert spec.tmpfs == ("/tmp:size=64m",)
    assert spec.cpus == 1.5
    assert spec.memory == 512 << 20
    assert spec.health_interval == 90
    assert (spec.network, spec.network_aliases) == ("net", ("db",))
    assert parsed.notes == ()


@pytest.mark.parametrize(
    "line",
    [
        "sudo docker --context prod container run alpine",
        "$ docker run alpine",
        "podman create alpine",
        "DOCKER_HOST=tcp://x docker -H unix:///y run alpine",
        "docker run ` \n alpine",
        "docker run -- alpine",
        "docker run --detach=false alpine",
    ],
)
def test_ways_of_writing_the_command(line: str) -> None:
    assert parse_run(line).spec == ContainerSpec(image="alpine")


def test_what_is_not_taken_over_is_said() -> None:
    parsed = parse_run(
        "docker run --link db -e TOKEN --env-file .env --cpuset-cpus=0 --cpuset-mems 1 "
        "--device-write-iops /dev/sda:9 --io-maxbandwidth 1m -v $DATA:/d alpine"
    )
    assert parsed.env_files == (".env",)
    text = " ".join(parsed.notes)
    assert "--link" in text
    assert "--cpuset-cpus" in text
    assert "--cpuset-mems" in text
    assert "--device-write-iops" in text
    assert "--io-maxbandwidth" in text
    assert "-e TOKEN" in text

    assert "“$DATA”" in text


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("docker run 'alpine", "can't be read"),
        ("docker run", "No image"),
        ("docker run -p", "needs a value"),
        ("docker run --nonsense alpine", "Unknown option --nonsense"),
        ("docker run -Z alpine", "Unknown option -Z"),
        ("docker run -m lots alpine", "--memory"),
        ("docker run --mount type=bind,src=/a alpine", "no target"),
        ("docker ps", "docker run"),
        ("ls", "not a docker command"),
        ("", "not a docker command"),
        ("docker run " + "x" * 70_000, "too long"),
    ],
)
def test_what_is_wrong_is_named(line: str, title: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_run(line)
    assert title in caught.value.title


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_run("docker run " + text)
    except InvalidInputError:
        return


_word = st.text("abcxyz019_.", min_size=1, max_size=8).filter(lambda text: text[0] not in "._")
_value = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n$`"), max_size=12)
_pairs = st.lists(st.tuples(_word, _value.filter(bool)), max_size=3).map(tuple)
_specs = st.builds(
    ContainerSpec,
    image=_word,
    name=st.one_of(st.just(""), _word),
    command=st.lists(_value.filter(bool), max_size=3).map(tuple),
    env=_pairs,
    labels=_pairs,
    ports=st.lists(st.sampled_from(["80", "8080:80", "127.0.0.1:53:53/udp"]), max_size=2).map(
        tuple
    ),
    memory=st.sampled_from([0, 512 << 20, 6 << 20, 1234567]),
    cpus=st.sampled_from([0.0, 0.5, 2.0]),
    health_interval=st.sampled_from([0.0, 0.5, 90.0, 3600.0]),
    stop_timeout=st.sampled_from([None, 0, 10]),
    tty=st.booleans(),
    auto_remove=st.booleans(),
    restart=st.sampled_from(["", "always", "on-failure:3"]),
)


@given(_specs, st.booleans())
def test_rendered_commands_read_back_as_they_were(spec: ContainerSpec, wrapped: bool) -> None:
    line = run_command(spec, wrapped=wrapped)
    back = parse_run(line, home="/h").spec
    assert back.command == spec.command or "~" in line
    assert back.ports == spec.ports
    assert back.memory == spec.memory
    assert back.cpus == spec.cpus
    assert back.health_interval == spec.health_interval
    assert back.stop_timeout == spec.stop_timeout
    assert (back.tty, back.auto_remove, back.restart) == (spec.tty, spec.auto_remove, spec.restart)
    assert set(dict(back.env)) == set(dict(spec.env))


def test_secrets_never_stand_in_equivalents() -> None:
    spec = ContainerSpec(
        image="db",
        command=("serve", "--password=hunter2", "--token", "hunter2", "redis://:hunter2@h"),
        entrypoint=("sh", "-c", "DBPASSWORD=hunter2 exec db"),
        health_cmd="db-ping --password=hunter2",
        env=(("POSTGRES_PASSWORD", "hunter2"), ("URL", "postgres://u:hunter2@h/db"), ("TZ", "UTC")),
        labels=(("api-token", "hunter2"),),
        log_options=(("splunk-token", "hunter2"),),
    )
    for text in (run_command(spec), run_command(spec, wrapped=True), run_sdk(spec)):
        assert "hunter2" not in text
    assert "-e POSTGRES_PASSWORD " in run_command(spec)
    assert "TZ=UTC" in run_command(spec)


def test_the_sdk_form_spells_ranges_out() -> None:
    text = run_sdk(ContainerSpec(image="x", ports=("8000-8002:80-82/udp", "127.0.0.1:1:2", "443")))
    assert "'81/udp': 8001" in text
    assert "'2/tcp': ('127.0.0.1', 1)" in text
    assert "'443/tcp': None" in text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("2h", 7200), ("10", 10), ("1.5h", 5400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert parse_duration(duration_flag(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "s", "5x", "1m 30s", "-3s"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_a_value_that_does_not_fit_is_told_what_would() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_run("docker run -m 1x alpine")
    assert caught.value.detail == "“1x” is not a size, such as 512m."


def test_only_what_a_shell_would_fill_in_is_noted() -> None:
    """What stands in single quotes, or behind a backslash, is the command's own."""
    line = """docker run alpine sh -c 'i=$((i+1)); echo $HOME `date`' "a \\$b" it\\$"""
    parsed = parse_run(line, home="/home/me")
    assert parsed.notes == ()
    assert parsed.spec.command[:3] == ("sh", "-c", "i=$((i+1)); echo $HOME `date`")
    parsed = parse_run('docker run -v "$HOME/x:/x" alpine echo "$(date) ${DAY:-now}"', home="/me")
    assert parsed.spec.volumes == ("/me/x:/x",)
    assert parsed.notes == ("“$(date)” is filled in by a shell; replace it by its value.",)

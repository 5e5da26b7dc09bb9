from collections.abc import Callable

import httpx

from tests.unit.testing.server.conftest import Client

Server = Callable[..., Client]


def test_a_file_has_the_recorded_fields_and_comes_back_as_it_was(server: Server) -> None:
    client = server("nebius")
    answer = client.http.post("/v1/files", files={"file": ("batch_input.jsonl", b"one\ntwo\n")}, data={"purpose": "batch"}).json()
    assert {name: value for name, value in answer.items() if name not in ("id", "created_at")} == {
        "bytes": 8, "filename": "batch_input.jsonl", "object": "file", "purpose": "batch",
        "status": None, "expires_at": None, "status_details": None,
    }  # fmt: skip
    assert answer["id"].startswith("file-") and client.http.get(f"/v1/files/{answer['id']}").json() == answer
    assert client.content(answer["id"]) == b"one\ntwo\n"
    link = client.http.get(f"/v1/files/{answer['id']}/link").json()["url"]
    assert client.http.get(link).content == b"one\ntwo\n"


def test_files_are_listed_by_pages_and_purpose(server: Server) -> None:
    client = server()
    ids = [client.upload(b"{}", purpose="fine-tune") for _ in range(3)]
    mine = client.http.get("/v1/files?purpose=fine-tune").json()["data"]
    assert [file["id"] for file in mine][-3:] == ids
    page = client.http.get(f"/v1/files?purpose=fine-tune&limit=1&after={ids[0]}").json()
    assert ([file["id"] for file in page["data"]], page["has_more"], page["last_id"]) == ([ids[1]], True, ids[1])


def test_a_deleted_file_is_gone(server: Server) -> None:
    client = server()
    file_id = client.upload(b"{}")
    assert client.http.delete(f"/v1/files/{file_id}").json() == {"id": file_id, "object": "file", "deleted": True}
    assert [client.http.get(f"/v1/files/{file_id}{end}").status_code for end in ("", "/content")] == [404, 404]


def test_half_a_file_can_be_taken_up_where_it_broke(server: Server) -> None:
    client = server(faults=[{"kind": "cut", "method": "GET", "path": "/v1/files/*/content", "times": 1}])
    content = bytes(range(256)) * 400
    file_id = client.upload(content)
    got = b""
    try:
        with client.http.stream("GET", f"/v1/files/{file_id}/content") as answer:
            for part in answer.iter_raw():
                got += part
    except httpx.RemoteProtocolError:
        pass
    assert got == content[: len(content) // 2]
    rest = client.http.get(f"/v1/files/{file_id}/content", headers={"range": f"bytes={len(got)}-"})
    assert rest.status_code == 206 and got + rest.content == content


def test_a_purpose_that_nobody_knows_is_refused(server: Server) -> None:
    answer = server("nebius").http.post("/v1/files", files={"file": ("x", b"x")}, data={"purpose": "fun"})
    assert answer.status_code == 422
    assert server().http.post("/v1/files", data={"purpose": "batch"}, files={"other": b"x"}).status_code == 400


def test_openai_says_that_a_file_is_processed(server: Server) -> None:
    client = server("openai")
    assert client.http.get(f"/v1/files/{client.upload(b'{}')}").json()["status"] == "processed"

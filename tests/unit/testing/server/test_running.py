import subprocess
import sys

import httpx

from distillc.testing.server import Script, serve


def test_a_server_of_its_own_process_answers_and_ends() -> None:
    with serve(Script(teacher="same"), dialect="nebius", process=True) as served:
        request = {"model": "m", "messages": [{"role": "user", "content": "he go"}]}
        reply = httpx.post(f"{served.url}/chat/completions", json=request, headers={"authorization": "Bearer k"}).json()
        assert reply["choices"][0]["message"]["content"] == "All is well." and "prompt_logprobs" in reply
        assert [call["path"] for call in served.calls("/v1/chat/completions")] == ["/v1/chat/completions"]
    try:
        httpx.get(f"{served.url}/models")
    except httpx.ConnectError:
        pass
    else:
        raise AssertionError("the server still answers")


def test_without_its_extra_it_says_which_one_that_is() -> None:
    code = "import sys; sys.modules['uvicorn'] = None; import distillc.testing.server"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1 and "needs uvicorn" in ended.stderr and "distillc[serve]" in ended.stderr

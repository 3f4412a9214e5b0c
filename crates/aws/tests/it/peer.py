"""Starts ministack and provisions it as an account's owner would, by the IAM and S3 APIs.

argv: the ministack program, a port. Prints "ready", then reads one JSON command a line and answers each with one line:
"ok" and a JSON value, or "error" and a text. Ends, and ends ministack, when its input ends: so nothing is left behind.
"""
import json
import os
import subprocess
import sys
import time
import urllib.request

import boto3
from botocore.config import Config

program, port = sys.argv[1:3]
endpoint = f"http://127.0.0.1:{port}"
env = dict(os.environ, AUTH="true", BIND_HOST="127.0.0.1", GATEWAY_PORT=port)
peer = subprocess.Popen([program], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def client(service, account, region="us-east-1"):
    # A peer's account is its 12 digits, with one secret for all.
    return boto3.client(
        service, endpoint_url=endpoint, region_name=region, aws_access_key_id=account, aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))


def bucket(account, name, region="us-east-1", versioned=False):
    s3 = client("s3", account, region)
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def put(account, bucket, key, text, storage="STANDARD"):
    answer = client("s3", account).put_object(Bucket=bucket, Key=key, Body=text.encode(), StorageClass=storage)
    return answer.get("VersionId")


def put_file(account, bucket, key, path):
    with open(path, "rb") as body:
        client("s3", account).put_object(Bucket=bucket, Key=key, Body=body)


def delete(account, bucket, key):
    client("s3", account).delete_object(Bucket=bucket, Key=key)


def role(account, name, trust, inline):
    iam = client("iam", account)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    if inline:
        iam.put_role_policy(RoleName=name, PolicyName="s3_access_policy", PolicyDocument=inline)


verbs = {"bucket": bucket, "put": put, "put_file": put_file, "delete": delete, "role": role}
try:
    for _ in range(300):
        if peer.poll() is not None:
            sys.exit("ministack ended: " + str(peer.returncode))
        try:
            urllib.request.urlopen(endpoint + "/_ministack/health", timeout=1).read()
            break
        except OSError:
            time.sleep(0.1)
    else:
        sys.exit("ministack did not become healthy")
    print("ready", flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            print("ok", json.dumps(verbs[command.pop("verb")](**command)), flush=True)
        except Exception as error:  # told to the test, which fails with it
            print("error", repr(error).replace("\n", " "), flush=True)
finally:
    peer.terminate()
    peer.wait()

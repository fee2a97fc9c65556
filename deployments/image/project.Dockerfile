# The whole project, for what runs flows, shows pages and serves beside them (deployments/compose.yaml).
# What serves alone has a smaller image: `python -m flows.package <problem> --containerize`.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim
FROM ${BASE_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /state driftline \
    && mkdir -p /state /monitoring \
    && chown driftline:driftline /state /monitoring
WORKDIR /app
COPY requirements.lock ./
ARG UV_VERSION=0.13.8
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/python3 -m pip install --no-cache-dir uv==${UV_VERSION} \
    && /opt/venv/bin/uv pip sync --no-cache --python /opt/venv/bin/python3 --require-hashes requirements.lock
COPY driftline driftline
COPY bentos bentos
COPY tasks tasks
COPY flows flows
COPY deployments deployments
COPY data data
COPY expectations expectations
COPY README.md pyproject.toml requirements.lock ./
ENV PATH=/opt/venv/bin:${PATH} PYTHONPATH=/app PYTHONUNBUFFERED=1 HOME=/state DRIFTLINE_HOME=/state
USER 10001:10001

# Two stages: the first installs what uv.lock says, the second has neither uv nor sources.
# docs/deploy/container.md says how to build it, and deploy/rehearse.py runs its steps without Docker.
ARG PYTHON_VERSION=3.12

FROM ghcr.io/astral-sh/uv:0.13.9 AS uv

FROM public.ecr.aws/docker/library/python:${PYTHON_VERSION}-slim-trixie AS build
COPY --from=uv /uv /usr/local/bin/uv
# Byte code halves the cold start; the interpreter is the base image's.
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/venv
WORKDIR /build
# What changes seldom first: a change of the sources leaves this layer as it is.
COPY pyproject.toml uv.lock ./
RUN ["uv", "sync", "--frozen", "--no-dev", "--extra", "otel", "--no-install-project"]
COPY README.md LICENSE ./
COPY src ./src
RUN ["uv", "sync", "--frozen", "--no-dev", "--extra", "otel", "--no-editable"]

FROM public.ecr.aws/docker/library/python:${PYTHON_VERSION}-slim-trixie AS runtime
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="s3-data-lake-mcp" \
      org.opencontainers.image.description="Read-only MCP server over an S3 data lake" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN ["useradd", "--create-home", "--uid", "1000", "--shell", "/usr/sbin/nologin", "lake"]
COPY --from=build /opt/venv /opt/venv
# Traces must not carry arguments and rows; the distribution for AWS would turn that on.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=false
USER 1000:1000
WORKDIR /home/lake
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ping', timeout=2)"]
CMD ["opentelemetry-instrument", "s3-data-lake-mcp", "serve", "--transport", "http", "--host", "0.0.0.0", "--port", "8000"]

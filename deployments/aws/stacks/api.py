"""The HTTP API before the Lambda: who may call, how often, what is logged, when people are told."""

from typing import Any

from aws_cdk import aws_apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from deployments.aws.stacks.common import Limit, accept, add_log, each_minute

CALLS_A_SECOND, BURST = 50, 100
SLOW_MILLISECONDS = 1000
ACCESS = {  # what was asked and how it ended, and nothing of what was sent
    "id": "$context.requestId",
    "route": "$context.routeKey",
    "status": "$context.status",
    "ms": "$context.responseLatency",
}


def add_api(stack: Any, alias: Any, authorization: Any) -> Any:
    """An HTTP API that hands every path to an alias, and passes on no more than it can bear."""
    api = aws_apigatewayv2.CfnApi(
        stack, "Api", name=stack.stack_name, protocol_type="HTTP", description="Driftline"
    )
    integration = aws_apigatewayv2.CfnIntegration(
        stack,
        "Integration",
        api_id=api.ref,
        integration_type="AWS_PROXY",
        integration_uri=alias.ref,
        payload_format_version="2.0",
    )
    route = aws_apigatewayv2.CfnRoute(
        stack,
        "Route",
        api_id=api.ref,
        route_key="ANY /{proxy+}",
        target=f"integrations/{integration.ref}",
        authorization_type=authorization,
    )
    accept(route, {"AwsSolutions-APIG4": "AWS_IAM, or a key that the Lambda itself asks for"})
    _let_call(stack, alias, api)
    _add_stage(stack, api).node.add_dependency(route)
    return api


def _let_call(stack: Any, alias: Any, api: Any) -> None:
    place = f"arn:{stack.partition}:execute-api:{stack.region}:{stack.account}:{api.ref}"
    lambda_.CfnPermission(
        stack,
        "MayCall",
        action="lambda:InvokeFunction",
        function_name=alias.ref,
        principal="apigateway.amazonaws.com",
        source_arn=f"{place}/*/*",
    )


def _add_stage(stack: Any, api: Any) -> Any:
    return aws_apigatewayv2.CfnStage(
        stack,
        "Stage",
        api_id=api.ref,
        stage_name="$default",
        auto_deploy=True,
        default_route_settings=aws_apigatewayv2.CfnStage.RouteSettingsProperty(
            throttling_rate_limit=CALLS_A_SECOND, throttling_burst_limit=BURST
        ),
        access_log_settings=aws_apigatewayv2.CfnStage.AccessLogSettingsProperty(
            destination_arn=add_log(stack, "AccessLog").log_group_arn,
            format=stack.to_json_string(ACCESS),
        ),
    )


def limits(function: Any, api: Any) -> dict[str, Limit]:
    """When people are told; the handler answers its own failures with 5xx, which are no errors."""
    errors = each_minute(function.metric_errors(), "Sum")
    throttles = each_minute(function.metric_throttles(), "Sum")
    return {
        "Failing": Limit(errors, 1, 1, "The Lambda crashed or ran out of time"),
        "Refusing": Limit(throttles, 1, 2, "More calls at once than may run"),
        "Answering5xx": Limit(_of_api(api, "5xx", "Sum"), 1, 2, "The API answers with 5xx"),
        "Slow": Limit(
            _of_api(api, "Latency", "p99"), SLOW_MILLISECONDS, 5, "One answer in 100 is slow"
        ),
    }


def _of_api(api: Any, name: str, statistic: str) -> Any:
    metric = cloudwatch.Metric(
        namespace="AWS/ApiGateway", metric_name=name, dimensions_map={"ApiId": api.ref}
    )
    return each_minute(metric, statistic)
